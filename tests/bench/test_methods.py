"""The measures of every method and of τ-ARGUS beside ours, on tables of a few areas: what they compare, and what rows say."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from bench import argus
from bench.measure import Cost, paired_ratios, runs_a_turn
from bench.methods import METHODS
from bench.results import faster_row, minutes_row, per_cell_rows
from bench.tablework import below, cell_count, coarser, hierarchy_below, linked_places, nearest_units, subtree
from sdc.rules.threshold import small_cells
from sdc.suppression.report import level_losses
from sdc.tables import Classification, Hierarchy, Table


def cost(seconds: float, cpu: float = 1.0, peak: int = 1) -> Cost:
    return Cost(seconds=seconds, cpu=cpu, peak=peak)


def small_country() -> Table:
    """12 areas in 3 districts of 2 authorities of one country, 3 benefits."""
    parents = ([0] * 4 + [1] * 4 + [2] * 4, [0, 0, 1], [0, 0])
    names, sizes = ("oa", "lsoa", "lad", "ctry"), (12, 3, 2, 1)
    hierarchy = Hierarchy(
        levels=names,
        codes=tuple(
            np.array([f"{name[0].upper()}{n:02}" for n in range(k)]) for name, k in zip(names, sizes, strict=True)
        ),
        parents=tuple(np.array(each, np.int32) for each in parents),
    )
    return Table.from_finest(
        hierarchy=hierarchy,
        classification=Classification(dimensions=("benefit",), categories=(("CA",), ("ESA",), ("UC",))),
        finest=np.random.default_rng(11).poisson(9, (12, 3)),
    )


def test_parts_of_a_table() -> None:
    whole = small_country()
    assert nearest_units(whole.hierarchy, 2, 4) == [1] and nearest_units(whole.hierarchy, 2, 7.9, 2) == [0, 1]
    assert nearest_units(whole.hierarchy, 2, None) == [0], "sizes 8 and 4 are as near to their mean: the first"
    part, above = below(whole, 2, 0), subtree(whole, 2, 0)
    assert part.hierarchy.units == (8, 2, 1) and above.hierarchy.units == (8, 2, 1, 1)
    assert np.array_equal(part.counts[2][0], whole.counts[2][0]) and np.array_equal(above.counts[3], above.counts[2])
    hierarchy, areas = hierarchy_below(whole.hierarchy, 2, 1)
    assert areas.tolist() == [8, 9, 10, 11] and hierarchy.codes[0].tolist() == ["O08", "O09", "O10", "O11"]
    top = coarser(whole, 1)
    assert top.hierarchy.levels == ("lsoa", "lad", "ctry") and cell_count(top) == 6 * 4
    (linked,) = linked_places({"a": whole, "b": whole}, "lad", 4)
    assert len(linked_places({"a": whole}, "lad", 4, 9)) == 2, "there are no more"
    assert linked["a"].hierarchy is linked["b"].hierarchy and linked["a"].hierarchy.units == (4, 1, 1, 1)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_what_its_name_says(name: str) -> None:
    """What is timed publishes the table whole, from the level on that is named."""
    table = coarser(small_country(), METHODS[name].level)
    done = METHODS[name].prepare(table)()
    safe = done[0] if isinstance(done, tuple) else done
    safe = safe["benefit"] if isinstance(safe, dict) else safe
    assert [values.shape for values in safe.values] == [counts.shape for counts in table.counts]
    told = {
        "conventional": "conventional-rounding",
        "random": "random-rounding",
        "unbiased": "controlled-rounding",
        "minimum-distance": "controlled-rounding",
        "small-counts": "small-count-rounding",
        "cell-key": "cell-key",
    }
    assert safe.method.name == told.get(name, "suppression")
    assert safe.method.min_count == 5


def test_targets_are_those_of_the_issue() -> None:
    asked = {name: method.target for name, method in METHODS.items() if method.target}
    assert asked == {
        "unbiased": 3,
        "minimum-distance": 150,
        "cell-key": 5,
        "suppression-lsoa": 10,
        "suppression": 60,
        "suppression-lone": 150,
    }
    assert {place: target for place, (_, _, target) in argus.PLACES.items()} == {"authority": 30, "region": 70}


def test_rows_per_cell() -> None:
    sizes = {"authority": (10, 100), "region": (100, 1000), "country": (1000, 10_000)}
    costs = {"authority": [cost(1)] * 3, "region": [cost(11)] * 3, "country": [cost(140)] * 3}
    small, middle, large = per_cell_rows("x", sizes, costs)
    assert small.name == "x, one authority: 10,000,000 ns a cell" and not small.target and not middle.target
    assert middle.figure == "1.10 × (processor 0.10 ×), 1.00 × of a region"
    assert large.figure == "1.40 × (processor 0.01 ×), 1.27 × of a region" and large.verdict == "misses by 0.10 ×"
    assert paired_ratios([cost(4, 9), cost(8, 9), cost(9, 9)], [cost(2, 3)] * 3) == (4.0, 3.0)
    assert runs_a_turn(lambda: None, 1) == 1 < runs_a_turn(lambda: None, 2)


def test_rows_of_minutes_and_of_times_as_fast() -> None:
    assert (
        minutes_row("x", "", cost(90), 5).figure == "1.5 min" and minutes_row("x", "", cost(90), 5).verdict == "meets"
    )
    assert minutes_row("x", "", cost(330), 5).verdict == "misses by 0.50 min"
    assert faster_row("x", "", cost(1), 31, 30).verdict == "meets"
    assert faster_row("x", "", cost(1), 28, 30).verdict == "misses by 2.0 ×"
    assert "but more is hidden" in faster_row("x", "", cost(1), 31, 30, less=False).verdict


def test_without_the_engine_one_row_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (row,) = argus.measure_argus(tmp_path, 1, 1.0)
    assert "not installed" in row.name and row.cost is None and not row.verdict


@pytest.fixture
def engine() -> None:
    """Skip where pytauargus, a test extra, is not installed."""
    if importlib.util.find_spec(argus.ENGINE) is None:
        if os.environ.get("SMALLAREA_REQUIRE_ALL") == "1":
            pytest.fail("pytauargus is missing: install the test extras")
        pytest.skip("pytauargus is not installed: τ-ARGUS cannot be asked")


@pytest.mark.usefixtures("engine")
def test_both_sides_on_one_authority() -> None:
    """The same unsafe cells, patterns that are counted and audited, and what the rows make of them."""
    table = below(small_country(), 3, 0)
    done = argus.run_argus(table, 60)
    assert done is not None and 0 < done.step.seconds <= done.call.seconds and done.step.peak > 1 << 20
    primary = small_cells(table, min_count=5)
    assert any(mask.any() for mask in primary)
    assert all(not np.any(mask & ~hidden) for mask, hidden in zip(primary, done.hidden, strict=True))
    assert not any(hidden[counts == 0].any() for hidden, counts in zip(done.hidden, table.counts, strict=True))
    found = argus.compare(table, 1, 60)
    assert found.cells == cell_count(table) and found.unsafe == sum(int(mask.sum()) for mask in primary)
    losses = level_losses(table, done.hidden, primary)
    theirs, ours = found.patterns["theirs"], found.patterns["ours"]
    assert (theirs.cells, theirs.total) == (
        sum(loss.others for loss in losses),
        sum(loss.sum_others for loss in losses),
    )
    assert ours.breaches == found.patterns["usual"].breaches == 0
    rows = argus.rows_of("authority", found, 1.0, 60)
    assert [row.name.startswith("suppress_table") for row in rows] == [False, True, True]
    assert rows[1].target and rows[1].verdict and "0 breaches" in rows[1].figure


@pytest.mark.usefixtures("engine")
def test_an_engine_that_takes_too_long_is_stopped_and_nothing_is_claimed() -> None:
    table = below(small_country(), 3, 0)
    found = argus.compare(table, 2, 0.01)
    assert not found.step and "theirs" not in found.patterns and len(found.ours) == 2
    rows = argus.rows_of("authority", found, 30.0, 0.01)
    assert "stopped" in rows[0].name and rows[1].verdict == "not known" and "as fast" not in rows[1].figure


@pytest.mark.usefixtures("engine")
def test_what_the_engine_says_when_it_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"pytauargus failed \(1\)"):
        argus.run_argus(below(small_country(), 3, 0), 60, suppress="NONSENSE(1)")
