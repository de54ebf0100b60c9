"""One validator for each promise, run over every rounding method that makes it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from attack_tools import shown, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st
from rounding_tools import EXPSD, error, secret, small_tables

from sdc.attack.intervals import stated_intervals
from sdc.attack.judge import audit_tables
from sdc.cube import cube_of
from sdc.network import flatten, unflatten
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.crossed import round_cube
from sdc.rounding.nearest import MinimumDistance, protect_nearest
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.rounding.steps import StepsRounding, round_system
from sdc.system import system_of
from sdc.tables import Method, SafeTable, Table

BASE = 5
CONTROLLED = Method(name="controlled-rounding", base=BASE, min_count=BASE)


@dataclass(frozen=True)
class Rounding:
    """A method and what it promises."""

    name: str
    protect: Callable[[Table, bytes], SafeTable]
    promises: frozenset[str]


def from_system(table: Table, values: np.ndarray) -> SafeTable:
    return shown(table, unflatten(values, table.hierarchy, len(table.classification) + 1), CONTROLLED)


def in_steps(table: Table, key: bytes) -> SafeTable:
    return from_system(table, round_system(system_of(table), spec=StepsRounding(steps=0), key=key)[0])


def top_down(table: Table, key: bytes) -> SafeTable:
    return from_system(table, round_cube(cube_of(table), spec=StepsRounding(joint_cells=0), key=key)[0])


EVERY = {"whole", "keyed", "zeros", "any order"}
NEAR = EVERY | {"multiples", "within the base", "multiples stay"}
METHODS = [
    Rounding(
        "unbiased controlled",
        lambda t, k: round_controlled({"t": t}, spec=ControlledRounding(), key=k)[0]["t"],
        frozenset(NEAR | {"additive", "unbiased", "one figure", "attack"}),
    ),
    Rounding(
        "minimum distance",
        lambda t, k: protect_nearest(t, spec=MinimumDistance(), key=k)[0],
        frozenset(NEAR | {"additive", "one figure", "attack"}),
    ),
    Rounding(
        "minimum distance, all by chance",
        lambda t, k: protect_nearest(t, spec=MinimumDistance(share=1.0), key=k)[0],
        frozenset(NEAR | {"additive", "one figure", "attack"}),
    ),
    Rounding("in steps", in_steps, frozenset(NEAR | {"additive", "unbiased", "one figure", "attack"})),
    Rounding("top down", top_down, frozenset(EVERY | {"multiples", "additive", "one figure"})),
    Rounding(
        "random",
        lambda t, k: protect_random(t, spec=RandomRounding(), key=k)[0],
        frozenset(NEAR | {"unbiased", "one figure"}),
    ),
    Rounding(
        "conventional",
        lambda t, _: round_conventional(t, base=BASE, min_count=BASE),
        frozenset(NEAR | {"one figure"}) - {"keyed"},
    ),
    Rounding(
        "small counts",
        lambda t, k: protect_small_counts(t, spec=SmallCountRounding(), key=k)[0],
        frozenset(EVERY | {"additive", "no small count", "one figure"}),
    ),
    Rounding(
        "small counts by rule",
        lambda t, k: protect_small_counts(t, spec=SmallCountRounding(share=0), key=k)[0],
        frozenset(EVERY | {"additive", "no small count", "one figure"}),
    ),
]


def that_promise(promise: str):
    """The methods that make a promise, as a parameter."""
    made = [method for method in METHODS if promise in method.promises]
    assert made
    return pytest.mark.parametrize("method", made, ids=lambda method: method.name)


def assert_whole(true: Table, safe: SafeTable) -> None:
    assert [v.shape for v in safe.values] == [x.shape for x in true.counts]
    assert all(v.dtype == np.int64 and v.min() >= 0 for v in safe.values)
    assert safe.method.base == BASE and safe.method.min_count == BASE


def assert_multiples(true: Table, safe: SafeTable) -> None:
    assert not any(np.any(v % BASE) for v in safe.values)


def assert_within_the_base(true: Table, safe: SafeTable) -> None:
    """|r - x| < base, and the truth lies in the stated interval."""
    assert np.abs(error(true, safe.values)).max() < BASE
    bounds = stated_intervals(safe)
    assert all(np.all((lo <= x) & (x <= hi)) for lo, hi, x in zip(bounds.lo, bounds.hi, true.counts, strict=True))


def assert_multiples_stay(true: Table, safe: SafeTable) -> None:
    assert all(
        np.array_equal(v[x % BASE == 0], x[x % BASE == 0]) for v, x in zip(safe.values, true.counts, strict=True)
    )


def assert_zeros(true: Table, safe: SafeTable) -> None:
    assert all(not v[x == 0].any() for v, x in zip(safe.values, true.counts, strict=True))


def assert_additive(true: Table, safe: SafeTable) -> None:
    Table(hierarchy=safe.hierarchy, classification=safe.classification, counts=safe.values)  # or ValueError


def assert_no_small_count(true: Table, safe: SafeTable) -> None:
    assert not any(np.any((v >= 1) & (v < BASE)) for v in safe.values)


def assert_one_figure(true: Table, safe: SafeTable) -> None:
    """Cells that hold the same records show the same value: found here by their sets of finest cells."""
    records: dict[tuple[int, ...], int] = {}
    columns = max(len(true.classification), 1)
    finest = np.arange(true.counts[0].shape[0] * columns).reshape(-1, columns)
    live = true.counts[0][:, :columns] > 0
    for level, values in enumerate(safe.values):
        owner = true.hierarchy.ancestors(0, level)
        for unit in range(values.shape[0]):
            for column in range(values.shape[1]):
                inside = np.zeros(live.shape, bool)
                inside[owner == unit] = True
                if column < len(true.classification):
                    inside[:, :column] = inside[:, column + 1 :] = False
                who = tuple(finest[inside & live].tolist())
                if who:
                    assert records.setdefault(who, int(values[unit, column])) == values[unit, column]


VALIDATORS = {
    "whole": assert_whole,
    "multiples": assert_multiples,
    "within the base": assert_within_the_base,
    "multiples stay": assert_multiples_stay,
    "zeros": assert_zeros,
    "additive": assert_additive,
    "no small count": assert_no_small_count,
    "one figure": assert_one_figure,
}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@given(table=small_tables(), key=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_promises_of_one_table(method: Rounding, table: Table, key: int) -> None:
    safe = method.protect(table, secret(key))
    for promise, validate in VALIDATORS.items():
        if promise in method.promises:
            validate(table, safe)


@that_promise("any order")
def test_the_same_whatever_the_order_of_rows(method: Rounding) -> None:
    """Rows of a file in another order make the same table, and the same table is published twice alike."""
    rng = np.random.default_rng(1)
    rows = np.array([[area, k, rng.poisson(2)] for area in range(12) for k in range(3)])
    published = []
    for order in (np.arange(36), rng.permutation(36), np.arange(36)[::-1]):
        finest = np.zeros((12, 3), np.int64)
        area, k, count = rows[order].T
        np.add.at(finest, (area, k), count)
        published.append(method.protect(true_table(tree(np.arange(12) // 4, [0] * 3), finest), secret(3)).values)
    assert all(map(np.array_equal, published[0], published[1])) and all(map(np.array_equal, published[0], published[2]))


@that_promise("keyed")
def test_another_key_another_table(method: Rounding) -> None:
    true = true_table(tree(np.arange(12) // 4), np.random.default_rng(2).poisson(2, (12, 3)))
    assert len({flatten(method.protect(true, secret(key)).values).tobytes() for key in range(8)}) > 2


@that_promise("unbiased")
def test_v12_the_mean_over_keys_is_the_true_count(method: Rounding) -> None:
    true = true_table(tree([0, 0, 0]), EXPSD)
    errors = np.array([error(true, method.protect(true, secret(key)).values) for key in range(700)])
    assert np.all(np.abs(errors.mean(axis=0)) <= 4 * errors.std(axis=0) / np.sqrt(len(errors)))


@that_promise("attack")
def test_the_attack_finds_nothing(method: Rounding) -> None:
    true = true_table(tree(np.arange(20) // 5, [0] * 4), np.random.default_rng(3).poisson(2, (20, 3)))
    audit = audit_tables({"t": method.protect(true, secret(1))}, min_count=BASE, truth={"t": true})
    assert audit.safe
