"""The reviewer's pack: everything is in it, in order, loudly private, and its figures are right."""

import csv
import dataclasses
import stat
from pathlib import Path

import numpy as np
import pytest
from pagescene import make_scene

from reports.review import InputFile, ReviewFacts, look_first, verdict, write_review
from reports.truebeside import changes_table, rules_table, sample_table
from sdc.findings import Audit, Finding

SECTIONS = [
    "verdict",
    "asked",
    "records",
    "rules-hit",
    "attack",
    "certainty",
    "usefulness",
    "beside",
    "excepted",
    "notices",
]


def make_facts(**changes: object) -> ReviewFacts:
    scene = make_scene(areas=60, suppressed=True)
    finding = Finding(
        kind="pinned",
        severity="disclosure",
        table="benefit",
        cell="oa E00990001, UC",
        witness="its parent is 5 & its siblings are 0",
        interval=(1, 4),
    )
    facts = ReviewFacts(
        release=scene.facts,
        tables=scene.tables,
        true=scene.true,
        audit=Audit(
            findings=(finding,), checked=("margins",), not_checked=("flows: none given",), figures={"cells": 12}
        ),
        buckets={"counted": 900, "not live on the date": 60, "erased": 10, "no area": 30},
        rows_read=1000,
        spec_text='[release]\ntitle = "a <b>"\n',
        inputs=(InputFile(name="claims.csv", purpose="claims", sha256="0" * 64, size=5, rows=1000),),
        making={"path": "network", "key id": "0123456789abcdef"},
        posterior=({"table": "benefit", "level": "oa", "probability": 0.61},),
        highest_posterior=0.61,
        utility=({"table": "benefit", "level": "oa", "mean_absolute_error": 1.9},),
        notices=("30 rows have no area",),
    )
    return dataclasses.replace(facts, **changes)


@pytest.fixture(scope="module")
def pack(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("review")
    write_review(folder, make_facts())
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_sections_stand_in_the_order_in_which_a_reviewer_reads(pack) -> None:
    text = (pack / "review.html").read_text(encoding="utf-8")
    places = [text.index(f'<h2 class="govuk-heading-l" id="{name}"') for name in SECTIONS]
    assert places == sorted(places)


def test_the_page_says_that_it_is_private_and_needs_no_other_file(pack) -> None:
    text = (pack / "review.html").read_text(encoding="utf-8")
    assert text.count("PRIVATE") >= 3 and "<title>PRIVATE" in text
    assert "<script" not in text and "stylesheet" not in text and "a &lt;b&gt;" in text


def test_files_are_for_their_owner_alone(pack) -> None:
    names = sorted(path.name for path in pack.iterdir())
    assert names == [
        "buckets.csv",
        "findings.csv",
        "inputs.csv",
        "posterior.csv",
        "review.html",
        "rules.csv",
        "true-beside-published-age-sex.csv",
        "true-beside-published-benefit.csv",
        "utility.csv",
    ]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in pack.iterdir())


def test_true_beside_published_holds_every_cell(pack) -> None:
    facts = make_facts()
    table, true = facts.tables[0], facts.true[0]
    listed = rows(pack / "true-beside-published-benefit.csv")
    assert list(listed[0]) == ["area_level", "area", "benefit", "true", "published", "marker", "difference"]
    assert [int(row["true"]) for row in listed] == np.concatenate([a.ravel() for a in true.counts]).tolist()
    for row, (level, unit, column) in zip(listed, table.safe.cells(), strict=True):
        assert row["area"] == table.safe.hierarchy.codes[level][unit]
        value, hidden = table.safe.values[level][unit, column], table.safe.markers[level][unit, column] != 0
        assert row["published"] == ("" if hidden else str(value)) and row["marker"] == ("c" if hidden else "")
        assert row["difference"] == ("" if hidden else str(value - true.counts[level][unit, column]))


def test_rules_count_small_cells_by_level() -> None:
    facts = make_facts()
    table, true = facts.tables[0], facts.true[0]
    for row, counts in zip(rules_table(table, true), true.counts, strict=True):
        assert row["cells"] == counts.size
        assert row["small"] == sum(1 <= count <= 4 for count in counts.ravel())
        assert row["true_zeros"] == sum(count == 0 for count in counts.ravel())


def test_largest_changes_come_first_and_the_sample_is_the_same_each_time() -> None:
    facts = make_facts()
    table, true = facts.tables[1], facts.true[1]
    changes = [abs(int(str(row["difference"]).replace(",", ""))) for row in changes_table(table, true)]
    largest = max(int(np.abs(v - c).max()) for v, c in zip(table.safe.values, true.counts, strict=True))
    assert changes == sorted(changes, reverse=True) and changes[0] == largest
    assert sample_table(table, true) == sample_table(table, true)
    assert all(row["true"] for row in sample_table(table, true))


def test_verdict_follows_the_attack_and_the_exceptions() -> None:
    facts = make_facts()
    assert verdict(facts) == "unsafe"
    assert verdict(dataclasses.replace(facts, exceptions=({"rule": "full", "reason": "r"},))) == "excepted"
    assert verdict(dataclasses.replace(facts, audit=Audit())) == "safe"


def test_what_to_look_at_first() -> None:
    facts = make_facts()
    first = look_first(facts)
    assert "make this release unsafe: 1." in first[0]
    assert any("30 of 1,000" in sentence and "no area" in sentence for sentence in first)
    assert not any("do not add up" in sentence for sentence in first)
    assert any("do not add up" in sentence for sentence in look_first(dataclasses.replace(facts, rows_read=1001)))
    assert any("0.950" in sentence for sentence in look_first(dataclasses.replace(facts, highest_posterior=0.95)))


def test_a_figure_moved_by_the_base_or_more_is_put_first() -> None:
    facts = make_facts(audit=Audit())
    assert any("not less than the base" in sentence for sentence in look_first(facts)), (
        "the scene adds rounded figures up"
    )


def test_nothing_to_look_at_is_said() -> None:
    facts = make_facts(audit=Audit(), notices=(), buckets={"counted": 1000})
    safe = tuple(
        dataclasses.replace(table, safe=dataclasses.replace(table.safe, values=t.counts, markers=()))
        for table, t in zip(facts.tables, facts.true, strict=True)
    )
    assert look_first(dataclasses.replace(facts, tables=safe))[0].startswith("Nothing stands out")


def test_tables_that_do_not_belong_together_are_refused() -> None:
    facts = make_facts()
    with pytest.raises(ValueError, match="benefit"):
        dataclasses.replace(facts, true=facts.true[::-1])
    with pytest.raises(ValueError, match="one for each"):
        dataclasses.replace(facts, true=facts.true[:1])


def test_the_same_input_gives_the_same_bytes(tmp_path, pack) -> None:
    written = write_review(tmp_path, make_facts())
    assert all(path.read_bytes() == (pack / path.name).read_bytes() for path in written)
