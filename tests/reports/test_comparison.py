"""The comparison page: figures are right, nothing is told by colour alone, sentences follow from figures by rule."""

import dataclasses
import re
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from pagescene import make_scene

from reports.comparison import (
    MARGIN,
    MIDPOINT,
    SHOWN,
    Compared,
    Comparison,
    WorkedArea,
    adds_up,
    recommendations,
    value_of,
)
from reports.comparisoncharts import Bar, Stack, bar_chart, stack_chart
from reports.comparisonpage import comparison_page
from sdc.attack.intervals import stated_intervals
from sdc.attack.propagation import propagate
from sdc.findings import Audit, Finding
from sdc.rounding.conventional import round_conventional
from sdc.tables import SUPPRESSED, Method, SafeTable, Table
from sdc.utility.imputation import margin_shares, midpoints
from sdc.utility.rows import utility
from sdc.utility.sizes import change_sizes

FINDING = Finding(
    kind="pinned",
    severity="disclosure",
    table="t",
    cell="oa E00990001, UC",
    witness="its parent is 5 & its siblings are 0",
    interval=(1, 4),
)


def hidden(true: Table) -> SafeTable:
    """Small counts of the smallest areas hidden: enough for a page, no protection to rely on."""
    markers = [np.zeros(counts.shape, np.int8) for counts in true.counts]
    markers[0][(true.counts[0] > 0) & (true.counts[0] < 5)] = SUPPRESSED
    return SafeTable(
        hierarchy=true.hierarchy,
        classification=true.classification,
        values=tuple(np.where(m == 0, c, 0) for c, m in zip(true.counts, markers, strict=True)),
        method=Method(name="suppression", base=1, min_count=5),
        markers=tuple(markers),
    )


def compared(name: str, true: Table, safe: SafeTable, *, findings: int = 0) -> Compared:
    measures = {SHOWN: utility(true, safe)}
    if any((markers != 0).any() for markers in safe.markers):
        intervals = propagate(safe.hierarchy, stated_intervals(safe)).intervals
        measures[MIDPOINT] = utility(true, safe, guessed=midpoints(safe, intervals))
        measures[MARGIN] = utility(true, safe, guessed=margin_shares(safe))
    return Compared(
        name=name,
        parameters={"name": name},
        promise="intervals-only" if findings else "full",
        audit=Audit(findings=(FINDING,) * findings, checked=("margins",), not_checked=("groups",)),
        findings=findings,
        utility=measures,
        sizes=change_sizes(true, safe),
        worked=tuple(str(value) for value in safe.values[0][3].tolist()),
    )


def make_comparison(**changes: object) -> Comparison:
    """Three methods on a made-up town: one that rounds and adds up, one that leaks, one that hides."""
    scene = make_scene(areas=60)
    true, additive = scene.true[0], scene.tables[0].safe
    columns = (*(category[0] for category in true.classification.categories), "Total")
    facts = Comparison(
        counts="counts <b>.csv",
        dimensions=true.classification.dimensions,
        levels=tuple(zip(true.hierarchy.levels, true.hierarchy.units, strict=True)),
        min_count=5,
        methods=(
            compared("controlled-rounding", true, additive),
            compared("conventional-rounding", true, round_conventional(true, base=5, min_count=5), findings=3),
            compared("suppression", true, hidden(true)),
        ),
        unfit=(("random-rounding", "base 3 is below min_count 5"),),
        worked=WorkedArea(level="oa", code="E00990003", columns=columns, true=tuple(true.counts[0][3].tolist())),
        software="smallarea test",
    )
    return dataclasses.replace(facts, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def facts() -> Comparison:
    return make_comparison()


@pytest.fixture(scope="module")
def page(facts: Comparison) -> str:
    return comparison_page(facts)


class Read(HTMLParser):
    """Tables by their id: the heads, and rows by their first cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, dict[str, list[str]]] = {}
        self.scopes: list[str | None] = []
        self._table, self._row, self._cell = "", None, None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "table":
            self._table = str(named["id"])
            self.tables[self._table] = {}
        if tag == "tr":
            self._row = []
        if tag == "th":
            self.scopes.append(named.get("scope"))
        if tag in ("td", "th"):
            self._cell = ""

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._row is not None and self._cell is not None:
            self._row.append(self._cell.strip())
            self._cell = None
        if tag == "tr" and self._row:
            self.tables[self._table][self._row[0]] = self._row[1:]
            self._row = None


def test_the_page_says_that_it_is_private_and_needs_no_other_file(page: str) -> None:
    assert page.count("Private: for the statistician&#39;s eyes only") == 2 and "<title>PRIVATE" in page
    assert "<script" not in page and 'rel="stylesheet"' not in page
    assert "counts &lt;b&gt;.csv" in page and "counts <b>" not in page


def test_sections_stand_in_the_order_in_which_they_are_read(page: str) -> None:
    names = ["verdict", "measures", "charts", "worked", "attacks", "files"]
    places = [page.index(f'<h2 class="govuk-heading-l" id="{name}"') for name in names]
    assert places == sorted(places) and page.index('id="methods"') < page.index('id="measures"')


def test_headings_go_down_one_step_at_a_time(page: str) -> None:
    depths = [int(depth) for depth in re.findall(r"<h([1-6])[ >]", page)]
    assert depths[0] == 1 and depths.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(depths))


def test_every_table_head_says_what_it_heads(page: str) -> None:
    assert set(Read(page).scopes) == {"row", "col"}


def test_verdict_of_each_method(facts: Comparison, page: str) -> None:
    rows = Read(page).tables["methods"]
    assert list(rows) == ["Method", "controlled-rounding", "conventional-rounding", "suppression"]
    by_name = {name: dict(zip(rows["Method"], row, strict=True)) for name, row in rows.items() if name != "Method"}
    rounded, nearest, hides = (by_name[method.name] for method in facts.methods)
    assert (rounded["Attack"], nearest["Attack"], hides["Attack"]) == ("Passes", "Fails", "Passes")
    assert (rounded["Adds up"], nearest["Adds up"], hides["Adds up"]) == ("Yes", "No", "What is shown does")
    assert (rounded["Findings"], nearest["Findings"]) == ("0", "3")
    assert (rounded["Promise"], nearest["Promise"]) == ("full", "each figure alone")
    assert rounded["Cells hidden, oa"] == "0.0%" != hides["Cells hidden, oa"]
    assert hides["Cells changed, oa"] == "0.0%" != rounded["Cells changed, oa"]
    assert rounded["Largest gap"] == "0" and float(nearest["Largest gap"]) >= 5
    assert nearest["Mean error, oa"] == f"{value_of(facts.methods[1].best, 'oa', 'mean_absolute_error'):.3f}"


def test_mean_error_by_counting(facts: Comparison) -> None:
    true = make_scene(areas=60).true[0]
    errors = np.abs(round_conventional(true, base=5, min_count=5).values[1] - true.counts[1])
    assert value_of(facts.methods[1].best, "lsoa", "mean_absolute_error") == pytest.approx(errors.mean())


def test_what_is_hidden_is_measured_in_three_ways_and_the_rest_in_one(page: str) -> None:
    names = [name for name in Read(page).tables["errors-0"] if name != "Method"]
    assert names == [
        "controlled-rounding",
        "conventional-rounding",
        "suppression, hidden cells left out",
        "suppression, hidden cells at the middle of their interval",
        "suppression, hidden cells by shares of the margins",
    ]
    shares = [name for name in Read(page).tables["hiding-0"] if name != "Method"]
    assert shares[2:] == ["suppression, hidden cells left out"], "what is hidden does not hang on how it is guessed"


def test_the_worst_category_is_the_worst(facts: Comparison) -> None:
    rows = facts.methods[1].utility[SHOWN]
    inner = [row for row in rows if row["level"] == "oa" and row["category"] not in ("Total", "all cells")]
    assert value_of(rows, "oa", "rank_correlation", "least") == min(row["rank_correlation"] for row in inner)
    assert value_of(rows, "oa", "share_changing_decile", "most") == max(row["share_changing_decile"] for row in inner)
    furthest = value_of(rows, "oa", "between_area_variance_ratio", "furthest")
    assert abs(furthest - 1) == max(abs(row["between_area_variance_ratio"] - 1) for row in inner)
    assert value_of(rows, "lad", "hotspots_kept", "least") is None, "too few areas"


def test_true_counts_stand_first_in_the_worked_area(facts: Comparison, page: str) -> None:
    rows = Read(page).tables["worked-area"]
    assert list(rows)[1] == "True counts"
    assert rows["True counts"] == [f"{count:,}" for count in facts.worked.true]
    assert len(rows) == 2 + len(facts.methods)


def test_methods_that_could_not_be_used_stand_with_their_reason(page: str) -> None:
    assert Read(page).tables["unfit"]["random-rounding"] == ["base 3 is below min_count 5"]


# --- Sentences by rule ----------------------------------------------------------------------------


def test_sentences_name_who_passed_and_who_errs_least_of_the_additive(facts: Comparison) -> None:
    said = " ".join(recommendations(facts))
    assert "Passed the attack: controlled-rounding and suppression." in said
    assert "may not be used as it stands: conventional-rounding." in said
    errors = {
        method.name: value_of(method.best, "oa", "mean_absolute_error") for method in facts.methods if adds_up(method)
    }
    least = min(errors, key=lambda name: errors[name])
    assert "conventional-rounding" not in errors
    assert "pass" in said and f"{least} has the smallest mean error of a cell of oa: {errors[least]:.3f}" in said
    assert "Hidden by suppression: " in said


def test_a_method_that_fails_is_never_put_first(facts: Comparison) -> None:
    """Of a method that adds up and errs least nothing is said but that it fails."""
    failing = dataclasses.replace(facts.methods[0], name="best", audit=facts.methods[1].audit, findings=3)
    said = recommendations(dataclasses.replace(facts, methods=(failing, facts.methods[2])))
    assert [sentence for sentence in said if "best" in sentence.replace(" best ", " ")] == [
        "Did not pass, and may not be used as it stands: best."
    ]
    alone = dataclasses.replace(facts, methods=(failing,))
    assert recommendations(alone) == ("No method passed its attack: none of them may be used as it stands.",)


def test_equals_are_named_together(facts: Comparison) -> None:
    first = facts.methods[0]
    twins = (first, dataclasses.replace(first, name="twin"))
    said = recommendations(dataclasses.replace(facts, methods=twins))
    assert any("controlled-rounding and twin have the smallest mean error" in sentence for sentence in said)


def test_where_nothing_adds_up_that_is_said(facts: Comparison) -> None:
    nearest = dataclasses.replace(facts.methods[1], audit=Audit(), findings=0)
    said = recommendations(dataclasses.replace(facts, methods=(nearest,)))
    assert any("None of those that passed adds up" in sentence for sentence in said)


# --- Charts ---------------------------------------------------------------------------------------


def test_every_chart_has_a_title_and_says_all_its_figures(facts: Comparison, page: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", page, re.S)
    levels = len(facts.levels)
    assert len(pictures) == levels + levels + levels - 1 + sum(
        any(value_of(one.best, level, "rank_correlation", "total") is not None for one in facts.methods)
        for level, _ in facts.levels
    )
    identities = re.findall(r'id="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    for picture in pictures:
        labels = re.search(r'aria-labelledby="([^"]+)"', picture)
        assert labels and all(f'id="{label}"' in picture for label in labels[1].split())
        said = re.search(r"<desc[^>]*>(.*?)</desc>", picture, re.S)
        assert said and all(method.name in said[1] for method in facts.methods)


def test_charts_point_at_a_table_with_the_same_figures(page: str) -> None:
    tables = Read(page).tables
    targets = re.findall(r'href="#([^"]+)">The same figures as a table', page)
    assert len(targets) == 4 and all(target in tables for target in targets)


def test_bars_are_as_long_as_their_figures() -> None:
    picture = bar_chart("x", "t", [Bar(name="a", value=1.0, told="1"), Bar(name="b", value=4.0, told="4", marked=True)])
    lengths = [float(length) for length in re.findall(r'<rect [^>]* width="([0-9.]+)" height="18"', picture)]
    assert lengths[1] == pytest.approx(4 * lengths[0], rel=0.01)
    assert 'fill="url(#x-hatch)"' in picture and ">4</text>" in picture


def test_bars_of_nothing_and_below_nothing_are_told_and_not_drawn() -> None:
    picture = bar_chart("x", "t", [Bar(name="a", value=None, told="none"), Bar(name="b", value=-0.5, told="-0.5")])
    assert "<rect" not in picture and ">none</text>" in picture and ">-0.5</text>" in picture


def test_names_in_charts_are_escaped() -> None:
    assert "<script" not in bar_chart("x", "<script>", [Bar(name="<script>", value=1, told="<script>")])


def test_stacks_fill_their_bar_in_order() -> None:
    names = ("as counted", "a little", "hidden")
    picture = stack_chart("x", "t", names, [Stack(name="m", parts=(0.5, 0.3, 0.2))])
    bars = [float(length) for length in re.findall(r'<rect [^>]*width="([0-9.]+)" height="18"', picture)]
    assert sum(bars) == pytest.approx(358, abs=0.2) and bars[0] > bars[1] > bars[2]
    assert ">50%</text>" in picture and "hidden 20.0%" in picture


def test_more_parts_than_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="2 to 6 parts"):
        stack_chart("x", "t", tuple("abcdefg"), [])


def test_the_same_figures_give_the_same_bytes(facts: Comparison, page: str) -> None:
    assert comparison_page(make_comparison()) == page
