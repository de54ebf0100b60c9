"""The check's own attack against brute force: sound everywhere, exact on single trees, and the theorem."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.check.attack import Bounds, _decomposable, narrow, stated
from releases.check.tables import Layout, Published


def published(values: np.ndarray, dimensions: tuple[str, ...] = ("k",)) -> Published:
    """A table of two levels: `values` of shape (areas, columns) with the total last, below one authority."""
    areas, columns = values.shape
    layout = Layout(
        levels=("oa", "lad"),
        codes=(np.array([f"a{number}" for number in range(areas)]), np.array(["z"])),
        parents=(np.zeros(areas, np.int64),),
        dimensions=dimensions if columns > 1 else (),
        categories=tuple((f"k{number}",) for number in range(columns - 1)),
    )
    top = values.sum(axis=0, keepdims=True)
    return with_top(layout, values, top)


def with_top(layout: Layout, values: np.ndarray, top: np.ndarray) -> Published:
    markers = tuple(np.zeros(array.shape, np.int8) for array in (values, top))
    return Published(id="t", file="t.csv", layout=layout, values=(values, top), markers=markers, long=pa.table({}))


def brute_force(table: Published, bounds: Bounds) -> Bounds | None:
    """Intervals over every true table that fits the stated intervals; None where none does."""
    low, high = bounds.lo[0], bounds.hi[0]
    inner = slice(None) if low.shape[1] == 1 else slice(None, -1)
    spans = [range(lo, hi + 1) for lo, hi in zip(low[:, inner].ravel(), high[:, inner].ravel(), strict=True)]
    fits = []
    for cells in itertools.product(*spans):
        finest = np.array(cells).reshape(low[:, inner].shape)
        rows = finest if low.shape[1] == 1 else np.column_stack([finest, finest.sum(axis=1)])
        top = rows.sum(axis=0, keepdims=True)
        if all(
            np.all(lo <= x) and np.all(x <= hi) for lo, x, hi in zip(bounds.lo, (rows, top), bounds.hi, strict=True)
        ):
            fits.append((rows, top))
    if not fits:
        return None
    lo = tuple(np.min([fit[level] for fit in fits], axis=0) for level in range(2))
    hi = tuple(np.max([fit[level] for fit in fits], axis=0) for level in range(2))
    return Bounds(lo=lo, hi=hi)


def nearest(x: np.ndarray, base: int) -> np.ndarray:
    return (2 * x + base) // (2 * base) * base


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=4, max_size=4))
def test_propagation_is_sound_on_tree_by_flat(counts: list[int]) -> None:
    finest = np.array(counts).reshape(2, 2)
    true = np.column_stack([finest, finest.sum(axis=1)])
    table = with_top(published(true).layout, nearest(true, 3), nearest(true.sum(axis=0, keepdims=True), 3))
    start = stated(table, "conventional-rounding", 3)
    ours, wanted = narrow(table, start), brute_force(table, start)
    assert wanted is not None
    for level in range(2):
        assert np.all(ours.lo[level] <= wanted.lo[level])
        assert np.all(ours.hi[level] >= wanted.hi[level])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=3))
def test_propagation_is_exact_on_a_single_tree(counts: list[int]) -> None:
    true = np.array(counts)[:, None]
    table = with_top(published(true).layout, nearest(true, 5), nearest(true.sum(axis=0, keepdims=True), 5))
    start = stated(table, "conventional-rounding", 5)
    ours, wanted = narrow(table, start), brute_force(table, start)
    assert wanted is not None
    for level in range(2):
        assert np.array_equal(ours.lo[level], wanted.lo[level])
        assert np.array_equal(ours.hi[level], wanted.hi[level])


def test_the_typical_leak_of_conventional_rounding() -> None:
    """Methods 4.2: n parts shown 0 by nearest-5 under a total R with R - 2 = 2n are all exactly 2 (n = 4, R = 10)."""
    shown = np.zeros((4, 1), np.int64)
    table = with_top(published(shown).layout, shown, np.array([[10]]))
    bounds = narrow(table, stated(table, "conventional-rounding", 5))
    assert bounds.lo[0].tolist() == bounds.hi[0].tolist() == [[2]] * 4


@pytest.mark.parametrize("values", [[[0, 0], [0, 0]], [[3, 0], [0, 3]], [[3, 3], [0, 6]], [[0, 0], [3, 0]]])
def test_the_theorem_on_additive_rounding(values: list[list[int]]) -> None:
    """Every interval is exactly [max(0, r - b + 1), r + b - 1], by enumerating all true tables (b = 3)."""
    finest = np.array(values)
    table = published(np.column_stack([finest, finest.sum(axis=1)]))
    start = stated(table, "controlled-rounding", 3)
    wanted = brute_force(table, start)
    assert wanted is not None
    for level, shown in enumerate(table.values):
        assert np.array_equal(wanted.lo[level], np.maximum(0, shown - 2))
        assert np.array_equal(wanted.hi[level], shown + 2)


def test_figures_that_no_table_could_give_are_told_and_end() -> None:
    table = with_top(published(np.zeros((2, 1), np.int64)).layout, np.zeros((2, 1), np.int64), np.array([[100]]))
    bounds = narrow(table, stated(table, "conventional-rounding", 5))
    assert any(np.any(lo > hi) for lo, hi in zip(bounds.lo, bounds.hi, strict=True))


def named(*dimensions: str) -> Published:
    layout = Layout(
        levels=("oa",),
        codes=(np.array(["a"]),),
        parents=(),
        dimensions=dimensions,
        categories=tuple(itertools.product(*[("x", "y")] * len(dimensions))) if dimensions else (),
    )
    shape = layout.shapes[0]
    return Published(
        id="".join(dimensions) or "totals",
        file="",
        layout=layout,
        values=(np.zeros(shape, np.int64),),
        markers=(np.zeros(shape, np.int8),),
        long=pa.table({}),
    )


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        ([()], True),
        ([("a",), ("b",), ()], True),
        ([("a", "b"), ("b", "c"), ("b",)], True),
        ([("a", "b"), ("a", "b")], True),
        ([("a", "b"), ("b", "c"), ("a", "c")], False),
        ([("a", "b"), ("b", "c"), ("a", "c"), ("a", "b", "c")], True),
    ],
)
def test_when_equal_margins_are_enough(tables: list[tuple[str, ...]], wanted: bool) -> None:
    assert _decomposable([named(*dimensions) for dimensions in tables]) is wanted
