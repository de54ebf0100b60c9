"""What lone claimants learn of tables with suppressed cells: equal to enumerating every table that they think possible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdc.attack import alone
from sdc.attack.judge import audit_tables
from sdc.network import build_network, flatten
from sdc.suppression.arcs import hide_cells, make_arcs
from sdc.suppression.claimants import hold, release
from sdc.suppression.search import make_scratch
from sdc.tables import SUPPRESSED, Classification, Hierarchy, Method, SafeTable, Table

KIND = "learned by a lone claimant"


def tree(areas: int) -> Hierarchy:
    return Hierarchy(
        levels=("oa", "lad"),
        codes=(np.array([f"E{area}" for area in range(areas)]), np.array(["L"])),
        parents=(np.zeros(areas, np.int32),),
    )


def made(finest: np.ndarray) -> Table:
    categories = tuple((f"b{k}",) for k in range(finest.shape[1]))
    return Table.from_finest(
        hierarchy=tree(len(finest)),
        classification=Classification(dimensions=("benefit",), categories=categories),
        finest=finest,
    )


def published(table: Table, hidden: tuple[np.ndarray, ...]) -> SafeTable:
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.where(mask, 0, x) for mask, x in zip(hidden, table.counts, strict=True)),
        markers=tuple(np.where(mask, SUPPRESSED, 0).astype(np.int8) for mask in hidden),
        method=Method(name="suppression", base=1, min_count=3),
    )


def within(table: Table) -> np.ndarray:
    """Whether each cell (row) lies within each other (column), in network order."""
    areas, columns = table.counts[0].shape[0], table.counts[0].shape[1]
    cells = [
        (level, unit, column)
        for level, units in enumerate((areas, 1))
        for unit in range(units)
        for column in range(columns)
    ]
    total = columns - 1

    def inside(a: tuple[int, int, int], b: tuple[int, int, int]) -> bool:
        area = b[0] == 1 or (a[0] == 0 and a[1] == b[1])
        return area and b[2] in (a[2], total)

    return np.array([[inside(a, b) for b in cells] for a in cells])


def learned_by_enumeration(table: Table, safe: SafeTable) -> set[int]:
    """Cells that are the same in all tables a claimant thinks possible, and not in all that a reader does."""
    shape = table.counts[0][:, :-1].shape
    ends = [np.arange(int(table.counts[1][0, -1]) + 2)] * int(np.prod(shape))
    worlds = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, len(ends))
    finest = worlds.reshape(-1, *shape)
    whole = np.concatenate([finest, finest.sum(axis=2, keepdims=True)], axis=2)
    cells = np.concatenate([whole.reshape(len(whole), -1), whole.sum(axis=1)], axis=1)
    x, shown = flatten(table.counts), flatten(safe.markers) == 0
    cells = cells[(cells[:, shown] == x[shown]).all(axis=1)]
    constant = (cells == x).all(axis=0)
    lies = within(table)
    learned: set[int] = set()
    columns = shape[1] + 1
    people = [cell for cell in range(shape[0] * columns) if cell % columns < shape[1] and x[cell] == 1]
    for own in people:
        known = np.flatnonzero((x == 1) & lies[own])
        theirs = cells[(cells[:, known] == 1).all(axis=1)]
        affair = lies[:, known].any(axis=1)
        learned |= set(np.flatnonzero((theirs == x).all(axis=0) & ~constant & ~affair).tolist())
    return learned


def told(table: Table, safe: SafeTable) -> list[str]:
    audit = audit_tables({"t": safe}, min_count=3, truth={"t": table})
    return [finding.cell for finding in audit.findings if finding.kind == KIND]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 100_000), shape=st.sampled_from([(2, 2), (2, 3), (3, 2)]))
def test_equals_enumeration(seed: int, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    areas = shape[0]
    table = made(rng.integers(0, 2 if sum(shape) > 4 else 4, shape))
    hidden = tuple(rng.random(x.shape) < 0.6 for x in table.counts)
    safe = published(table, hidden)
    names = set(told(table, safe))
    wanted = learned_by_enumeration(table, safe)
    columns = table.counts[0].shape[1]
    expected = set()
    for cell in wanted:
        unit, column = divmod(cell, columns)
        area = f"oa E{unit}" if unit < areas else "lad L"
        expected.add((area, column))
    found = set()
    for name in names:
        area, _, category = name.partition(", ")
        column = (
            columns - 1 if category in ("", "Total") else [f"benefit=b{k}" for k in range(columns - 1)].index(category)
        )
        found.add((area, column))
    assert found == expected


def square() -> tuple[Table, SafeTable]:
    """Two by two hidden within three by three (V20): one known cell gives all."""
    table = made(np.array([[1, 2, 9], [2, 2, 9], [9, 9, 9]]))
    hidden = tuple(np.zeros(x.shape, np.bool_) for x in table.counts)
    hidden[0][:2, :2] = True
    return table, published(table, hidden)


def test_v20_a_square_is_one_class() -> None:
    table, safe = square()
    assert sorted(told(table, safe)) == ["oa E0, benefit=b1", "oa E1, benefit=b0", "oa E1, benefit=b1"]


def test_without_the_truth_it_is_a_warning() -> None:
    _, safe = square()
    audit = audit_tables({"t": safe}, min_count=3)
    warned = [finding for finding in audit.findings if finding.kind == "known to a lone claimant"]
    assert len(warned) == 4 and all(finding.severity == "warning" for finding in warned)
    assert "if anybody does" in warned[0].witness


def test_large_tables_go_by_cut_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """On protected patterns both ways agree."""
    table, safe = square()
    by_flow = told(table, safe)
    monkeypatch.setattr(alone, "EXACT_CELLS", 0)
    assert told(table, safe) == by_flow


def test_nothing_hidden_nothing_told() -> None:
    table, _ = square()
    safe = published(table, tuple(np.zeros(x.shape, np.bool_) for x in table.counts))
    assert not told(table, safe)


def test_claimants_who_know_every_cell_twice_have_room_in_working_memory() -> None:
    """One area, one person: all cells are theirs, and two ends of each are put by; compiled code checks no bounds."""
    table = Table.from_finest(
        hierarchy=Hierarchy(levels=("oa",), codes=(np.array(["E0"]),), parents=()),
        classification=Classification(dimensions=("benefit",), categories=(("b0",), ("b1",))),
        finest=np.array([[0, 1]]),
    )
    counts = flatten(table.counts)
    ends = {"lower": np.zeros_like(counts), "upper": counts + 5}
    arcs = make_arcs(build_network(table.hierarchy, 2), counts=counts, price=np.ones(len(counts), np.int32), **ends)
    hide_cells(arcs, np.arange(len(counts), dtype=np.int32))
    scratch, known = make_scratch(arcs), np.tile(np.arange(len(counts)), 2).astype(np.int32)
    room = arcs.room.copy()
    hold.py_func(arcs, scratch, known, 0, len(known))
    assert not arcs.room.any()
    release.py_func(arcs, scratch, known, 0, len(known))
    assert np.array_equal(arcs.room, room)
    assert not told(table, published(table, (np.array([[True, True, False]]),)))
