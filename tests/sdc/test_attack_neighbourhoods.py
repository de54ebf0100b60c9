"""Large blocks in neighbourhoods: never narrower than the truth allows, and exact wherever they say so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_joint_attack import hidden, nested_tree, rounded, table_of

from sdc.attack import walking
from sdc.attack.joint import Joint, join_pieces
from sdc.attack.jointly import audit_pieces
from sdc.attack.narrowing import NoSolution
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.attack.trimming import trimmed
from sdc.tables import NOT_PUBLISHED, SafeTable


def without_smallest(safe: SafeTable) -> SafeTable:
    markers = (np.full_like(safe.markers[0], NOT_PUBLISHED), *safe.markers[1:])
    return SafeTable(
        hierarchy=safe.hierarchy,
        classification=safe.classification,
        values=(np.zeros_like(safe.values[0]), *safe.values[1:]),
        markers=markers,
        method=safe.method,
    )


def two_geographies(seed: int, how: str, areas: int = 30) -> tuple[list[Piece], Joint]:
    """LSOAs of three output areas beside wards of four, output areas not published."""
    rng = np.random.default_rng(seed)
    finest = rng.poisson(2.0, (areas, 2))
    pieces = []
    for name, size in (("lsoa", 3), ("ward", 4)):
        table = table_of(nested_tree(name, [k // size for k in range(areas)]), {"benefit": ["jsa", "uc"]}, finest)
        safe = hidden(table, 4) if how == "hidden" else rounded(table)
        pieces.append(piece_of_table(name, without_smallest(safe), truth=table))
    cut, overlaps = trimmed(pieces, {})
    return cut, join_pieces(cut, overlaps=overlaps)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    how=st.sampled_from(["hidden", "rounded"]),
    size=st.sampled_from([6, 15, 40]),
    moves=st.sampled_from([0, 3, walking.MOST_MOVES]),
)
def test_sound_always_and_exact_where_it_says_so(seed: int, how: str, size: int, moves: int) -> None:
    _, joint = two_geographies(seed, how)
    equations, asked = joint.system.equations, np.arange(len(joint.system))
    exact = feasible_intervals(equations, joint.lo, joint.hi, asked=asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walking, "MOST_MOVES", moves)
        near = feasible_intervals(equations, joint.lo, joint.hi, asked=asked, most_cells=size)
    assert exact.exact.all()
    assert np.all(near.lo <= exact.lo) and np.all(near.hi >= exact.hi)
    sure = near.exact
    assert np.array_equal(near.lo[sure], exact.lo[sure]) and np.array_equal(near.hi[sure], exact.hi[sure])


def test_nearly_all_cells_are_settled_by_their_neighbourhood(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told is what the whole block says, though without walks of a part alone it can be said for sure."""
    monkeypatch.setattr(walking, "MOST_MOVES", 0)
    _, joint = two_geographies(3, "rounded", areas=120)
    asked = np.arange(len(joint.system))
    near = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=asked, most_cells=60)
    exact = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=asked)
    assert near.figures["searched by neighbourhoods"] == 1
    assert ((near.lo == exact.lo) & (near.hi == exact.hi)).mean() > 0.98
    assert near.exact.mean() > 0.2


def test_trimming_loses_nothing() -> None:
    """Output areas that nobody publishes are merged into what both geographies leave of them."""
    pieces, joint = two_geographies(5, "rounded", areas=24)
    rng = np.random.default_rng(5)
    finest = rng.poisson(2.0, (24, 2))
    whole = []
    for name, size in (("lsoa", 3), ("ward", 4)):
        table = table_of(nested_tree(name, [k // size for k in range(24)]), {"benefit": ["jsa", "uc"]}, finest)
        whole.append(piece_of_table(name, without_smallest(rounded(table)), truth=table))
    full = join_pieces(whole)
    assert len(joint.system) < len(full.system)
    for cut, piece, few, many in zip(pieces, whole, joint.places, full.places, strict=True):
        rows = piece.values.shape[0] - cut.values.shape[0]
        short = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=few.ravel())
        long = feasible_intervals(full.system.equations, full.lo, full.hi, asked=many[rows:].ravel())
        assert np.array_equal(short.lo, long.lo) and np.array_equal(short.hi, long.hi)


def test_what_contradicts_itself_is_found_in_a_large_block_too() -> None:
    pieces, joint = two_geographies(7, "rounded", areas=60)
    place = joint.places[1][pieces[1].axes[0].starts[1], -1]
    hi = joint.hi.copy()
    hi[place] = joint.lo[place] = 0
    with pytest.raises(NoSolution):
        feasible_intervals(joint.system.equations, joint.lo, hi, asked=np.arange(len(hi)), most_cells=10)


def test_walks_settle_what_neighbourhoods_leave_open() -> None:
    _, joint = two_geographies(3, "rounded", areas=120)
    asked = np.arange(len(joint.system))
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=asked, most_cells=60)
    exact = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=asked)
    assert np.array_equal(found.lo, exact.lo) and np.array_equal(found.hi, exact.hi)
    assert found.exact.mean() > 0.98 and found.figures["walks"] > 0.9 * found.figures["largest block"]


def test_what_is_not_exact_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_MOVES", 0)
    pieces, _ = two_geographies(11, "rounded", areas=90)
    audit = audit_pieces(pieces, min_count=3, most_cells=8)
    told = [text for text in audit.not_checked if "may be closer still" in text]
    assert len(told) == 1
