"""Flows of which one side is published by nobody: what is left is 0 or more, and says something of the other three."""

from itertools import product

import numpy as np
import pytest

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Flow, join_pieces
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.tables import Classification, Hierarchy, Method, SafeTable

FIVE = Method(name="controlled-rounding", base=5, min_count=5)
SIDES = ("before", "after", "on", "off")
SIGNS = {"after": 1, "off": 1, "before": -1, "on": -1}


def piece(measure: str, value: int) -> Piece:
    """A table of one figure."""
    tree = Hierarchy(levels=("lad",), codes=(np.array(["T"]),), parents=())
    safe = SafeTable(
        hierarchy=tree,
        classification=Classification(dimensions=(), categories=()),
        values=(np.array([[value]], np.int64),),
        method=FIVE,
    )
    return piece_of_table(measure, safe, measure=measure)


@pytest.mark.parametrize("unpublished", ["before", "on", "off"])
@pytest.mark.parametrize("values", [(0, 0, 5), (0, 5, 0), (5, 0, 0), (10, 0, 0), (0, 0, 10), (0, 10, 0), (10, 5, 5)])
def test_equals_enumeration(unpublished: str, values: tuple[int, int, int]) -> None:
    names = [side for side in SIDES if side != unpublished]
    pieces = [piece(name, value) for name, value in zip(names, values, strict=True)]
    flow = Flow(**{side: None if side == unpublished else side for side in SIDES})  # type: ignore[arg-type]
    ranges = [range(int(one.lo.item()), int(one.hi.item()) + 1) for one in pieces]
    worlds = [
        world
        for world in product(*ranges)
        if -SIGNS[unpublished] * sum(SIGNS[name] * count for name, count in zip(names, world, strict=True)) >= 0
    ]
    joint = join_pieces(pieces, flows=[flow])
    assert joint.left.tolist() == [False] * 3 + [True]
    assert int(joint.hi[-1]) == NO_BOUND
    if not worlds:
        return
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(3))
    cells = [int(place.item()) for place in joint.places]
    assert found.lo[cells].tolist() == np.min(worlds, axis=0).tolist()
    assert found.hi[cells].tolist() == np.max(worlds, axis=0).tolist()


def test_ten_came_and_nobody_is_there_or_left() -> None:
    """10 joined, 0 live, 0 left: six or more came, and so at least two are there and at least two have left."""
    pieces = [piece("after", 0), piece("on", 10), piece("off", 0)]
    joint = join_pieces(pieces, flows=[Flow(before=None, after="after", on="on", off="off")])
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=np.arange(3))
    assert [(int(found.lo[place.item()]), int(found.hi[place.item()])) for place in joint.places] == [
        (2, 4),
        (6, 8),
        (2, 4),
    ]


def test_two_unpublished_sides_say_nothing() -> None:
    with pytest.raises(ValueError, match="three measures or more"):
        Flow(before=None, after="after", on=None, off="off")
