"""Objections tried (methods, section 10), each against every method that it concerns; a guard that each has its test.

Those that are about one method or one attack alone stand with it: 10.1 in
test_inversion and test_suppression_inversion, 10.2 in test_attack_posterior, 10.7
in test_rounding, 10.10 in test_attack_intervals.
"""

import hashlib
import hmac
import itertools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attack_tools import tree, true_table
from rounding_tools import secret
from suppression_tools import hidden_of, small

from sdc.attack.intervals import Intervals, stated_intervals
from sdc.attack.judge import audit_tables
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import key_sums
from sdc.cellkey.perturb import CellKey, protect_by_cell_key
from sdc.network import flatten
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.nearest import MinimumDistance, protect_nearest
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.suppression.audit import SAFE, audit_pattern
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import SHOWN, SafeTable, Table

TESTS = Path(__file__).resolve().parents[1]
# 10.4 and 10.6 are about people beside claims and about kept values; they stand with those.
OBJECTIONS = tuple(range(1, 14))
CELL_KEY = CellKey(ptable=design_ptable(PTableSpec(blocked=4)).ptable)

Protect = Callable[[Table, bytes], SafeTable]


def by_record_keys(table: Table, key: bytes) -> SafeTable:
    """The cell key method; the sums of record keys of an area's people are drawn by the key from the area and the counts."""
    finest = table.counts[0][:, :-1]
    keys = np.zeros_like(finest)
    for (area, column), count in np.ndenumerate(finest):
        for person in range(int(count)):
            word = hmac.new(key, f"{table.hierarchy.codes[0][area]} {column} {person}".encode(), "sha256").digest()
            keys[area, column] += int.from_bytes(word[:2], "big") % 4096
    return protect_by_cell_key(table, spec=CELL_KEY, key=b"", record_keys=key_sums(table.hierarchy, keys))[0]


METHODS: dict[str, Protect] = {
    "conventional": lambda t, _: round_conventional(t, base=5, min_count=5),
    "random": lambda t, k: protect_random(t, spec=RandomRounding(), key=k)[0],
    "unbiased": lambda t, k: round_controlled({"t": t}, spec=ControlledRounding(), key=k)[0]["t"],
    "minimum distance": lambda t, k: protect_nearest(t, spec=MinimumDistance(), key=k)[0],
    "small counts": lambda t, k: protect_small_counts(t, spec=SmallCountRounding(), key=k)[0],
    "cell key": by_record_keys,
    "cell key of figures": lambda t, k: protect_by_cell_key(t, spec=CELL_KEY, key=k)[0],
    "suppression": lambda t, k: suppress_table(t, primary=small(t), spec=SuppressionSpec(), key=k)[0],
}
EVERY = pytest.mark.parametrize("name", METHODS)


def town(seed: int = 3, areas: int = 60, mean: float = 3.0) -> Table:
    """Areas in neighbourhoods of five in one town, three benefits, counts mostly small."""
    finest = np.random.default_rng(seed).poisson(mean, (areas, 3))
    return true_table(tree((np.arange(areas) // 5).tolist(), [0] * (areas // 5)), finest)


def looks(safe: SafeTable) -> np.ndarray:
    """What is seen of every cell: its value, or below 0 its marker."""
    return np.concatenate(
        [np.where(m == SHOWN, v, -1 - m.astype(int)).ravel() for v, m in zip(safe.values, safe.markers, strict=True)]
    )


@pytest.mark.parametrize("number", OBJECTIONS)
def test_every_objection_has_a_test_named_after_it(number: int) -> None:
    named = re.compile(rf"def test_(section_)?10_{number}_")
    assert any(named.search(path.read_text(encoding="utf-8")) for path in TESTS.glob("*/test_*.py"))


@pytest.mark.parametrize("name", ["random", "unbiased", "minimum distance", "cell key of figures"])
def test_10_3_one_figure_in_two_tables_of_other_names_has_one_value(name: str) -> None:
    """An area's only benefit is its total; and a table under another name, with rows in another order, shows the same."""
    finest = np.zeros((20, 3), np.int64)
    finest[np.arange(20), np.arange(20) % 3] = np.random.default_rng(1).integers(1, 5, 20)
    table = true_table(tree([0] * 20), finest)
    for key in range(20):
        safe = METHODS[name](table, secret(key))
        alone = safe.values[0][np.arange(20), np.arange(20) % 3]
        if name != "cell key of figures":
            assert np.array_equal(alone, safe.values[0][:, -1])
        other = true_table(tree([0] * 20), finest)
        assert np.array_equal(looks(METHODS[name](other, secret(key))), looks(safe))


def test_10_3_drawn_twice_two_in_five_small_counts_show_both_neighbours() -> None:
    """Counts of 1 to 4 alike often, base 5, drawn apart: 40 % show both 0 and 5, which proves them small."""
    table = true_table(tree([0] * 4000), np.tile([1, 2, 3, 4], 1000))
    one, two = (METHODS["random"](table, secret(key)).values[0] for key in range(2))
    assert np.mean(one != two) == pytest.approx(0.4, abs=0.04)
    lo, hi = (np.stack([getattr(stated_intervals(METHODS["random"](table, secret(key))), end)[0] for key in range(2)])
              for end in ("lo", "hi"))  # fmt: skip
    proven = (lo.max(axis=0) >= 1) & (hi.min(axis=0) < 5)
    assert np.array_equal(proven, one != two)


# Which cells one more record in one area may move: of the others' looks, at most this share.
STEADY = {
    "conventional": 0.0,
    "random": 0.0,
    "cell key": 0.0,
    "cell key of figures": 0.0,
    "unbiased": 0.05,
    "minimum distance": 0.05,
    "small counts": 0.05,
    "suppression": 0.05,
}


@EVERY
def test_10_5_one_record_more_in_one_area_leaves_the_others_as_they_were(name: str) -> None:
    """Under a table-wide stream of chance 41 % of the unchanged small cells of all areas would flip."""
    before = town(areas=600)
    finest = before.counts[0][:, :-1].copy()
    finest[300, 1] += 1
    after = true_table(before.hierarchy, finest)
    unchanged = flatten(before.counts) == flatten(after.counts)
    moved = looks(METHODS[name](before, secret(2))) != looks(METHODS[name](after, secret(2)))
    assert moved[unchanged].mean() <= STEADY[name]


@EVERY
def test_10_8_rows_do_not_depend_on_people(name: str) -> None:
    """Areas and categories without claimants stand in every published table."""
    finest = np.zeros((10, 3), np.int64)
    finest[5:] = [[9, 0, 12], [20, 0, 3], [11, 0, 14], [2, 0, 30], [8, 0, 7]]
    table = true_table(tree([0] * 5 + [1] * 5, [0, 0]), finest)
    safe = METHODS[name](table, secret(1))
    assert [values.shape for values in safe.values] == [(10, 4), (2, 4), (1, 4)]
    if name != "suppression":
        assert not safe.values[0][:5].any() and not safe.values[2][0, 1].any()


def test_10_9_a_plain_hash_of_a_small_table_can_be_tried_out() -> None:
    """Six cells with given sums: few tables fit, and one has the hash.  A keyed hash tells nothing without the key.

    So draws, keys and fingerprints here come of keyed hashes alone: the same table under two keys has nothing in common.
    """
    finest = np.array([[3, 1], [0, 4], [2, 2]])
    wanted = hashlib.sha256(finest.tobytes()).hexdigest()
    fitting = []
    for a, b, c in itertools.product(range(5), repeat=3):
        table = np.array([[a, 4 - a], [b, 4 - b], [c, 4 - c]])
        if hashlib.sha256(table.tobytes()).hexdigest() == wanted:
            fitting.append(table.tolist())
    assert fitting == [finest.tolist()]
    many = town(areas=300)
    for name in ("random", "unbiased", "cell key of figures"):
        one, two = (looks(METHODS[name](many, secret(key))) for key in range(2))
        open_ = flatten(many.counts) % 5 > 0
        assert np.mean(one[open_] == two[open_]) < 0.75


@EVERY
def test_10_11_what_is_told_of_a_method_does_not_depend_on_the_counts(name: str) -> None:
    """An error measured on the truth gives a count away where a level has one cell; so nothing measured is told."""
    methods = {repr(METHODS[name](town(seed, mean=mean), secret(seed)).method) for seed, mean in ((1, 2.0), (2, 30.0))}
    assert len(methods) == 1


def test_10_12_the_lone_claimant_of_an_area_knows_its_total_and_need_not_be_kept_from_it() -> None:
    """18 of 520 areas in one authority held one claim; their own cell and total are a cut pair, whatever else is hidden."""
    finest = np.array([[1, 0, 0], [30, 9, 12], [30, 12, 25], [8, 40, 17], [0, 1, 0], [22, 14, 9]])
    table = true_table(tree([0] * 6), finest)
    lone = [(0, 0), (4, 1)]
    safe, _ = suppress_table(table, primary=small(table), spec=SuppressionSpec(decoys=0.0), key=secret(4))
    hidden = hidden_of(safe)
    audit = audit_pattern(table, hidden, key=secret(5), lone_claimants=True)
    assert audit.clean
    for area, column in lone:
        assert hidden[0][area, column] and hidden[0][area, -1]
        assert audit.verdict[0][area, -1] == SAFE


def known_total(safe: SafeTable, level: int, unit: int, total: int) -> Intervals:
    """What the table says, and one exact total from elsewhere."""
    bounds = stated_intervals(safe)
    lo, hi = ([each.copy() for each in ends] for ends in (bounds.lo, bounds.hi))
    lo[level][unit, -1] = hi[level][unit, -1] = total
    return Intervals(lo=tuple(lo), hi=tuple(hi))


@pytest.mark.parametrize("name", ["unbiased", "minimum distance", "random"])
def test_10_13_an_exact_total_from_elsewhere_voids_the_theorem(name: str) -> None:
    """Four areas of 1 in a town, one of them shown 5, that is 1 to 9; who knows the town's 4 knows that it is 1 to 4."""
    table = true_table(tree([0] * 4), [1, 1, 1, 1])
    shown = (METHODS[name](table, secret(key)) for key in range(2000))
    safe = next(safe for safe in shown if safe.values[0].sum() == 5 and safe.values[1].sum() == 5)
    assert audit_tables({"t": safe}, min_count=5, truth={"t": table}).safe
    known = audit_tables({"t": safe}, min_count=5, truth={"t": table}, known={"t": known_total(safe, 1, 0, 4)})
    assert known.figures["t: path"] == "max flow"
    assert (1, 4) in {finding.interval for finding in known.findings if finding.kind == "pinned"}


def test_10_13_public_populations_cap_cells() -> None:
    """An area of three residents shown 5: 1 to 3 claimants, which nobody may know."""
    table = true_table(tree([0] * 4), [3, 12, 20, 9])
    for key in range(200):
        safe = METHODS["unbiased"](table, secret(key))
        if safe.values[0][0, 0] == 5:
            break
    free = stated_intervals(safe)
    capped = Intervals(lo=free.lo, hi=(np.minimum(free.hi[0], [[3], [400], [400], [400]]), free.hi[1]))
    assert audit_tables({"t": safe}, min_count=5, truth={"t": table}).safe
    found = audit_tables({"t": safe}, min_count=5, truth={"t": table}, known={"t": capped})
    assert [finding.interval for finding in found.findings if finding.kind == "pinned"] == [(1, 3)]
