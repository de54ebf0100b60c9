"""The cell key method on tables: same records, same noise; zeros kept; what averaging and differencing still tell."""

import contextlib
import io
import os

import numpy as np
import pandas as pd
import pytest
from attack_tools import flat, tree, true_table
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import Infeasible
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import figure_keys, key_sums
from sdc.cellkey.perturb import CellKey, perturb, protect_by_cell_key
from sdc.cellkey.ptable import KeyTable, in_keys, noise_of
from sdc.tables import SHOWN, STRUCTURAL, SUPPRESSED, Table

KEY = b"a key that is no secret, for tests alone"
DESIGNED = design_ptable(PTableSpec(bound=10, blocked=4)).ptable
SPEC = CellKey(ptable=DESIGNED)
TOWN = tree([0, 0, 0, 1, 1], [0, 0])


def keyed_table(hierarchy, records, categories, range_=4096):
    """A table and its cell keys from records (area, category, record key)."""
    counts = np.zeros((hierarchy.units[0], categories), np.int64)
    keys = np.zeros_like(counts)
    for area, category, key in records:
        counts[area, category] += 1
        keys[area, category] += key
    table = Table.from_finest(hierarchy=hierarchy, classification=flat(categories), finest=counts)
    return table, key_sums(hierarchy, keys, key_range=range_)


RECORDS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 4095)), max_size=60)


def assert_perturbed(true, safe, bound, blocked):
    """The promise of the cell key method: whole numbers, zeros kept, none shown as blocked, noise within D."""
    for counts, values, markers in zip(true.counts, safe.values, safe.markers, strict=True):
        assert values.dtype == np.int64 and values.min() >= 0
        assert np.all(np.abs(values - counts)[markers == SHOWN] <= bound)
        assert np.all(values[counts == 0] == 0)
        assert not np.any((values >= 1) & (values <= blocked))


# --- Keys ---------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(RECORDS)
def test_keys_add_like_counts(records):
    table, keys = keyed_table(TOWN, records, 3)
    for level in range(3):
        above = TOWN.ancestors(0, level)
        for unit in range(TOWN.units[level]):
            inside = [(category, key) for area, category, key in records if above[area] == unit]
            for category in range(3):
                own = sum(key for other, key in inside if other == category)
                assert keys[level][unit, category] == own % 4096
            assert keys[level][unit, 3] == sum(key for _, key in inside) % 4096
    assert [each.shape for each in keys] == [each.shape for each in table.counts]


def test_keys_of_totals_alone():
    keys = key_sums(TOWN, np.array([[5], [4095], [0], [7], [1]]), with_total=False)
    assert [each.ravel().tolist() for each in keys] == [[5, 4095, 0, 7, 1], [4, 8], [12]]


@pytest.mark.parametrize(
    ("finest", "range_", "told"),
    [
        (np.zeros((5, 2)), 4096, "finest_keys must be int64"),
        (np.zeros((4, 2), np.int64), 4096, "finest_keys must be int64"),
        (np.full((5, 2), -1), 4096, "at least 0"),
        (np.zeros((5, 2), np.int64), 1000, r"key_range \(1000\)"),
        (np.zeros((5, 2), np.int64), 1 << 17, "key_range"),
    ],
)
def test_keys_that_make_no_sense(finest, range_, told):
    with pytest.raises(ValueError, match=told):
        key_sums(TOWN, finest, key_range=range_)


def test_figure_keys_follow_the_figure_and_the_key():
    one = true_table(TOWN, [[3, 4], [0, 1], [2, 2], [9, 0], [0, 0]])
    again = true_table(TOWN, [[3, 4], [0, 1], [2, 2], [9, 0], [0, 0]])
    other = true_table(TOWN, [[3, 4], [0, 1], [2, 3], [9, 0], [0, 0]])
    keys, same, changed = (figure_keys(each, KEY) for each in (one, again, other))
    assert all(np.array_equal(a, b) for a, b in zip(keys, same, strict=True))
    assert np.flatnonzero((keys[0] != changed[0]).ravel()).tolist() == [7, 8]
    assert (keys[1][1] == changed[1][1]).all()
    assert not np.array_equal(keys[0], figure_keys(one, KEY[::-1])[0])


def test_figure_keys_of_large_even_counts_are_spread():
    """A sum of 4,096 × hash is 0 modulo 4,096, whatever the hash: keys must not be such sums."""
    wide = tree([0] * 400)
    keys = figure_keys(true_table(wide, np.full(400, 4096)), KEY)[0].ravel()
    assert len(np.unique(keys)) > 350
    assert abs(keys.mean() - 2047.5) < 4 * 4096 / np.sqrt(12 * 400)


# --- The promise --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_promise_on_random_records(records):
    table, keys = keyed_table(TOWN, records, 3)
    safe, report = protect_by_cell_key(table, spec=SPEC, key=KEY, record_keys=keys)
    assert_perturbed(table, safe, bound=10, blocked=4)
    assert report.keys_from == "record keys" and report.notices == ()
    assert (safe.method.name, safe.method.base, safe.method.min_count) == ("cell-key", 1, 5)


@settings(max_examples=30, deadline=None)
@given(RECORDS)
def test_promise_without_record_keys(records):
    table, _ = keyed_table(TOWN, records, 3)
    safe, report = protect_by_cell_key(table, spec=SPEC, key=KEY)
    assert_perturbed(table, safe, bound=10, blocked=4)
    assert report.keys_from == "figures"
    assert "for want of sums of record keys (column ckey)" in report.notices[0]
    again, _ = protect_by_cell_key(table, spec=SPEC, key=KEY)
    assert all(np.array_equal(a, b) for a, b in zip(safe.values, again.values, strict=True))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 2), st.integers(0, 4095)), max_size=60))
def test_the_same_records_have_the_same_figure_in_every_table(records):
    """By one category, by the other, and with two categories merged: totals, and every unchanged cell, agree."""
    first, by_first = keyed_table(TOWN, [(area, a, key) for area, a, _, key in records], 3)
    second, by_second = keyed_table(TOWN, [(area, b, key) for area, _, b, key in records], 3)
    merged, by_merged = keyed_table(TOWN, [(area, min(a, 1), key) for area, a, _, key in records], 2)
    one, two, three = (
        protect_by_cell_key(table, spec=SPEC, key=KEY, record_keys=keys)[0]
        for table, keys in ((first, by_first), (second, by_second), (merged, by_merged))
    )
    for a, b, c in zip(one.values, two.values, three.values, strict=True):
        assert np.array_equal(a[:, -1], b[:, -1]) and np.array_equal(a[:, -1], c[:, -1])
        assert np.array_equal(a[:, 0], c[:, 0])


def test_one_child_shows_its_parents_figure():
    lone = tree([0, 1, 1], [0, 0])
    table, keys = keyed_table(lone, [(0, 0, 17), (0, 0, 900), (0, 1, 4000), (1, 0, 3), (2, 1, 8)], 2)
    safe, _ = protect_by_cell_key(table, spec=SPEC, key=KEY, record_keys=keys)
    assert safe.values[0][0].tolist() == safe.values[1][0].tolist()


def test_handbook_example_through_a_table():
    """V5 of methods.md as a table: three records with keys 9, 3 and 6 of ten become 4."""
    noise = np.zeros((4, 10), np.int16)
    noise[3] = [-1, -1, -1, 0, 0, 0, 0, 1, 1, 1]
    table = true_table(tree(), [3])
    safe, _ = perturb(table, ptable=KeyTable(noise=noise), keys=(np.array([[(9 + 3 + 6) % 10]]),))
    assert safe.values[0].tolist() == [[4]]


def test_structural_zeros_are_kept_and_marked():
    table = true_table(TOWN, [[3, 0], [0, 0], [2, 0], [9, 0], [4, 7]])
    empty = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
    empty[0][:3, 1] = True
    empty[1][0, 1] = True
    safe, _ = protect_by_cell_key(table, spec=SPEC, key=KEY, structural=empty)
    for mask, values, markers in zip(empty, safe.values, safe.markers, strict=True):
        assert np.all(markers[mask] == STRUCTURAL) and np.all(values[mask] == 0)
        assert np.all(markers[~mask] == SHOWN)
    empty[0][0, 0] = True
    with pytest.raises(ValueError, match=r"structural zeros of level \(oa\)"):
        protect_by_cell_key(table, spec=SPEC, key=KEY, structural=empty)


def test_figures_below_the_threshold_are_not_told():
    pcv = np.arange(751)
    noise = np.where(pcv < 10, -pcv, (pcv + 2) // 5 * 5 - pcv)
    rule = KeyTable(noise=np.repeat(noise[:, None], 256, axis=1).astype(np.int16), reuse=250)
    table = true_table(tree([0, 0, 0, 0]), [10, 7, 14, 0])
    spec = CellKey(ptable=rule, key_range=256, min_count=10, threshold=10)
    safe, report = protect_by_cell_key(table, spec=spec, key=KEY)
    assert safe.values[0].ravel().tolist() == [10, 0, 15, 0]
    assert safe.markers[0].ravel().tolist() == [SHOWN, SUPPRESSED, SHOWN, SUPPRESSED]
    assert report.levels[0].hidden == 2


def test_the_report_tells_what_the_noise_did():
    counts = np.array([[0], [1], [20], [21]])
    table = true_table(tree([0, 0, 0, 0]), counts.ravel())
    safe, report = protect_by_cell_key(table, spec=SPEC, key=KEY)
    noise = safe.values[0] - counts
    level = report.levels[0]
    assert (level.level, level.cells, level.kept_zeros) == ("oa", 4, 1)
    assert level.changed == int((noise != 0).sum()) and level.largest == int(np.abs(noise).max())
    assert level.mean == pytest.approx(noise[1:].mean())
    assert level.mean_square == pytest.approx((noise[1:] ** 2).mean())
    assert report.as_dict()["bound"] == 10


def test_ptables_that_pin_small_counts_by_a_single_figure_are_infeasible():
    for bound, variance in ((1, 0.6), (2, 0.9), (3, 1.5)):
        ptable = design_ptable(PTableSpec(bound=bound, variance=variance)).ptable
        with pytest.raises(Infeasible, match="a figure shown") as told:
            CellKey(ptable=ptable)
        assert told.value.demands == (f"ptable with D = {bound}", "min_count = 5")
    CellKey(ptable=design_ptable(PTableSpec(bound=4, variance=2)).ptable)


def test_specs_that_make_no_sense():
    with pytest.raises(ValueError, match="threshold"):
        CellKey(ptable=DESIGNED, threshold=-1)
    with pytest.raises(ValueError, match="key_range"):
        CellKey(ptable=DESIGNED, key_range=1000)
    with pytest.raises(ValueError, match=r"must be the ptable's \(256\)"):
        CellKey(ptable=in_keys(DESIGNED, 256))
    with pytest.raises(ValueError, match="every level"):
        perturb(true_table(TOWN, [1, 1, 1, 1, 1]), ptable=SPEC.in_keys(), keys=())


# --- What noise does over many keys -------------------------------------------------------------------


def drawn(counts, *, draws, seed=3):
    """Figures of counts under `draws` sets of uniform keys: shape (draws, counts)."""
    counts = np.broadcast_to(np.array(counts), (draws, len(counts)))
    keys = np.random.default_rng(seed).integers(0, 4096, counts.shape)
    return counts + noise_of(SPEC.in_keys(), counts, keys)


def test_noise_is_unbiased_with_the_variance_designed():
    designed = design_ptable(PTableSpec(bound=10, blocked=4))
    counts = np.arange(25)
    figures = drawn(counts, draws=20_000)
    assert np.all(np.abs(figures.mean(axis=0) - counts) < 4 * np.sqrt(6 / 20_000) + 10 / 4096)
    variances = designed.variances[np.minimum(counts, designed.ptable.last)]
    assert figures.var(axis=0) == pytest.approx(variances, rel=0.08, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 4, 9])
def test_best_estimate_from_n_children_and_their_parent(n):
    """V·n / (n + 1): a child's own figure, and the parent's less the other children's, averaged by their variances."""
    variance = 6.0
    figures = drawn([*range(30, 30 + n), sum(range(30, 30 + n))], draws=40_000)
    children, parent = figures[:, :n], figures[:, n]
    by_sum = parent - (children.sum(axis=1) - children[:, 0])
    estimate = (n * children[:, 0] + by_sum) / (n + 1)
    assert estimate.mean() == pytest.approx(30, abs=0.06)
    assert estimate.var() == pytest.approx(variance * n / (n + 1), rel=0.04)


def test_averaging_m_partitions_of_the_same_people_leaves_v_over_m():
    """Each partition's parts are drawn apart; the sum of parts estimates the total with the parts' variances."""
    for m in (2, 5, 10):
        wholes = np.stack([drawn([40, 60], draws=20_000, seed=seed).sum(axis=1) for seed in range(m)])
        estimate = wholes.mean(axis=0)
        assert estimate.var() == pytest.approx(2 * 6.0 / m, rel=0.06)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 40), st.integers(0, 4095), st.integers(0, 4095))
def test_sets_that_differ_by_one_person_differ_by_twice_the_bound_at_most(count, key, further):
    with_them, without = np.array([count + 1]), np.array([count])
    table = SPEC.in_keys()
    shown = with_them + noise_of(table, with_them, np.array([(key + further) % 4096]))
    less = without + noise_of(table, without, np.array([key]))
    assert abs(int(shown[0] - less[0]) - 1) <= 2 * 10


# --- The package of the Office for National Statistics as an oracle ------------------------------------


def ons_package():
    """The package's function, with what it prints thrown away; skips where it is not installed."""
    reason = "cell-key-perturbation 3.1.0, the ONS package, is not installed: pip install cell-key-perturbation==3.1.0"
    try:
        from cell_key_perturbation.create_perturbed_table import create_perturbed_table
    except ImportError:
        if os.environ.get("SMALLAREA_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

    def quiet(**given):
        with contextlib.redirect_stdout(io.StringIO()):
            return create_perturbed_table(**given)

    return quiet


@pytest.mark.parametrize("threshold", [0, 10])
def test_against_the_ons_package(threshold):
    theirs = ons_package()
    rng = np.random.default_rng(7)
    rows = 6000
    # Few people in the first areas and thousands in the last: rows of every part of the ptable are looked up.
    area = np.minimum(rng.integers(0, 100, rows), 6) if threshold else rng.choice(3, rows, p=[0.002, 0.1, 0.898])
    data = pd.DataFrame({"area": area, "sex": rng.integers(0, 2, rows), "key": rng.integers(0, 256, rows)})
    noise = rng.integers(-4, 5, (751, 256))
    noise = np.maximum(noise, -np.arange(751)[:, None]).astype(np.int16)
    noise[0] = 0
    long = pd.DataFrame(
        {
            "pcv": np.repeat(np.arange(1, 751), 256),
            "ckey": np.tile(np.arange(256), 750),
            "pvalue": noise[1:].ravel().astype(int),
        }
    )
    told = theirs(
        data=data, ptable=long, geog=["area"], tab_vars=["sex"], record_key="key", use_existing_ons_id=False,
        threshold=threshold,
    )  # fmt: skip
    areas = int(area.max()) + 1
    hierarchy = tree([0] * areas)
    records = zip(data["area"], data["sex"], data["key"], strict=True)
    table, keys = keyed_table(hierarchy, records, 2, range_=256)
    safe, _ = perturb(table, ptable=KeyTable(noise=noise, reuse=250), keys=keys, threshold=threshold)
    assert len(told) == areas * 2
    for row in told.itertuples():
        assert keys[0][row.area, row.sex] == row.ckey
        figure = told["count"][row.Index]
        if pd.isna(figure):
            assert safe.markers[0][row.area, row.sex] == SUPPRESSED
        else:
            assert safe.values[0][row.area, row.sex] == figure
    assert (table.counts[0] > 750).any()
