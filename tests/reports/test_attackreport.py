"""The attack report: verdict first, findings with their witnesses, what was checked and how, mends, maps; private throughout."""

import csv
import dataclasses
import html
import io
import json
import re

import pytest
from pagescene import make_scene
from test_review import make_facts

from reports.attackreport import AttackedTable, AttackFacts, attack_report_json, attack_report_page
from reports.attackreportmaps import exposed_areas, exposure_maps
from reports.attackreportsection import attack_section, attack_verdict, interval_text
from reports.review import write_review
from sdc.findings import Audit, Finding
from sdc.mends.trying import Loss, Mend

PASSING = Mend(
    kind="hide cells",
    what=("benefit: oa E00990001, benefit=UC",),
    passes=True,
    loss=(Loss(level="oa", cells=480, hidden=1, error=1.5, error_before=1.75), Loss(level="lsoa", cells=96, hidden=0)),
    sentence="Hide 1 further cell, benefit: oa E00990001, benefit=UC: the attack then finds nothing.",
    tried=2,
)
FAILING = Mend(
    kind="drop table", what=(), passes=False, loss=(), sentence="Drop table: none of the 2 ways tried passes.", tried=2
)


def finding(
    number: int = 1, kind: str = "pinned", severity: str = "disclosure", level: str = "oa", **changes
) -> Finding:
    code = {"oa": "E0099", "lsoa": "E0199", "msoa": "E0299"}[level] + f"{number:04}"
    facts = {
        "kind": kind,
        "severity": severity,
        "table": "benefit",
        "cell": f"{level} {code}, benefit=UC",
        "witness": f"by a published sum it equals <{number}>",
        "interval": (1, 4),
    }
    return Finding(**{**facts, **changes})


def make_attack(**changes: object) -> AttackFacts:
    findings = [
        *(finding(number) for number in range(20)),
        finding(3, "group", interval=(0, 0)),
        finding(2, "too narrow", level="lsoa", interval=(0, None)),
        finding(5, "contradiction", "contradiction", interval=None),
        finding(6, "two values", "warning"),
    ]
    facts = AttackFacts(
        audit=Audit(
            findings=tuple(findings),
            checked=("intervals of benefit: exact within each table, by max flow",),
            not_checked=("flows: none are given",),
            figures={
                "benefit: path": "max flow",
                "benefit: cells asked": 321,
                "age: path": "theorem",
                "a, b: cells asked": 9,
                "a, b: bounds": 0,
                "a, b: elimination": 2,
                "a, b: LP": 7,
                "a, b: LPs": 14,
                "benefit: pinned": 41,
                "benefit: pinned, not listed": 21,
                "benefit: the theorem does not hold": ["one reason", "another"],
                "benefit: belief": {"probability": 0.98, "level": "oa"},
            },
        ),
        tables=(
            AttackedTable(name="benefit", file="benefit.csv", method="suppression", base=1, levels=("oa", "lsoa")),
            AttackedTable(name="age", file="age.csv", method="controlled-rounding", base=5, public=True),
        ),
        min_count=5,
        mends=(PASSING, FAILING),
        software="smallarea 0.1.0",
    )
    return dataclasses.replace(facts, **changes)


@pytest.fixture(scope="module")
def page() -> str:
    return attack_report_page(make_attack())


def told(page: str) -> str:
    """The words of a page without its marks."""
    body = page[page.index("<main") : page.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_verdict_comes_first_in_one_sentence(page) -> None:
    text = told(page)
    verdict = "Not safe: the attack found what may not be told (44 in all: 41 pinned, 1 group, 1 too narrow, 1 contradiction)."
    assert text.startswith(f"Attack report {verdict}")
    assert attack_verdict(Audit()) == "The attack found nothing that may not be told."
    assert "warnings that need a decision: 1" in attack_verdict(Audit(findings=(finding(severity="warning"),)))
    assert "contradict" in attack_verdict(Audit(findings=(finding(severity="contradiction"),)))


def test_sections_stand_in_the_order_asked_for(page) -> None:
    sections = ["attack-findings", "attack-numbers", "attack-checked", "attack-not-checked", "attack-mends", "attacked"]
    places = [page.index(f'<h2 class="govuk-heading-l" id="{name}"') for name in sections]
    assert places == sorted(places)


def test_findings_are_grouped_by_severity_and_kind_with_their_witnesses(page) -> None:
    section = attack_section(make_attack().audit)
    assert [(group.heading, group.number) for group in section.groups] == [
        ("Pinned (disclosure)", 41),
        ("Group (disclosure)", 1),
        ("Too narrow (disclosure)", 1),
        ("Contradiction", 1),
        ("Two values (warning)", 1),
    ]
    pinned = section.groups[0]
    assert len(pinned.table.rows) == 20 and pinned.more == "21 more of this kind are counted and not listed."
    assert pinned.table.rows[0].head == "oa E00990000, benefit=UC"
    assert pinned.table.rows[0].about == ("1 to 4", "benefit", "by a published sum it equals <0>")
    assert [interval_text(one) for one in ((2, 2), (0, None), None)] == ["exactly 2", "0 or more", ""]
    assert "equals &lt;3&gt;" in page and "<3>" not in page


def test_paths_are_told_by_table_and_figures_in_words() -> None:
    section = attack_section(make_attack().audit)
    rows = [(row.head, row.about[0].split(":")[0], row.cells[0]) for row in section.paths.rows]
    assert rows == [
        ("benefit", "network", "321"),
        ("age", "proof", "all"),
        ("a, b", "exact elimination of sums", "2"),
        ("a, b", "linear programmes over all sums", "7"),
    ]
    figures = {row.head: row.about[0] for row in section.figures.rows}
    assert figures["benefit: the theorem does not hold"] == "one reason; another"
    assert figures["benefit: belief"] == "probability 0.98, level oa"
    assert "benefit: path" not in figures and figures["a, b: LPs"] == "14"


def test_mends_that_pass_come_before_those_that_do_not(page) -> None:
    text = told(page)
    assert text.index("Each of these was tried") < text.index(PASSING.sentence) < text.index(FAILING.sentence)
    section = attack_section(make_attack().audit, mends=(FAILING,))
    assert section.mends_told.startswith("None of the mends tried") and section.loss is None
    (level, other) = attack_section(make_attack().audit, mends=(PASSING,)).loss.rows
    assert level.cells == ("480", "1", "1.75", "1.5") and other.cells == ("96", "0", "not known", "not known")
    assert not attack_section(Audit()).mends_told, "a safe release needs none"


def test_what_was_attacked_is_told_with_and_without_the_truth(page) -> None:
    text = told(page)
    assert (
        "has 2 published tables" in text and "controlled-rounding, base 5" in text and "without the true counts" in text
    )
    assert "Judged with the true counts" in told(attack_report_page(make_attack(with_truth=True)))


def test_the_page_says_that_it_is_private_and_needs_no_other_file(page) -> None:
    assert "<title>PRIVATE" in page and page.count("Private: for reviewers alone") == 2
    assert "<script" not in page and "stylesheet" not in page
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert addresses and all(one.startswith(("#", "data:")) for one in addresses)
    assert page == attack_report_page(make_attack()), "the same facts give the same bytes"


def test_the_plain_data_hold_every_finding_figure_and_mend() -> None:
    facts = make_attack()
    plain = json.loads(json.dumps(attack_report_json(facts)))
    assert plain["private"] is True and plain["command"] == "attack" and plain["with_truth"] is False
    assert plain["audit"]["safe"] is False and len(plain["audit"]["findings"]) == 24
    assert plain["audit"]["findings"][0]["interval"] == [1, 4] and plain["audit"]["figures"]["benefit: pinned"] == 41
    assert plain["tables"][1] == {
        "name": "age",
        "file": "age.csv",
        "method": "controlled-rounding",
        "base": 5,
        "public": True,
    }
    assert [mend["passes"] for mend in plain["mends"]] == [True, False]
    assert plain["mends"][0]["loss"][0]["hidden"] == 1


def test_a_safe_audit_says_so_and_little_else() -> None:
    text = told(attack_report_page(make_attack(audit=Audit(), mends=(), tables=())))
    assert "found nothing that may not be told" in text and "There are no findings" in text
    assert "Nothing was checked" in text and "Mends" not in text


# --- Maps -----------------------------------------------------------------------------------------


def maps_of(audit: Audit, boundaries=None, **options):
    scene = make_scene(areas=60)
    hierarchy = scene.tables[0].safe.hierarchy
    chosen = scene.boundaries if boundaries is None else [one for one in scene.boundaries if one.level in boundaries]
    names = {"level_names": scene.facts.level_names, "area_names": scene.facts.area_names}
    return exposure_maps(audit, hierarchy, chosen, title="A release", tables=["benefit"], **names, **options)


def test_areas_are_told_by_their_worst_finding() -> None:
    hierarchy = make_scene(areas=60).tables[0].safe.hierarchy
    audit = Audit(
        findings=(
            finding(1, "too narrow"),
            finding(1, "pinned"),
            finding(4, "group", cell="benefit: oa E00990004, UC"),
            finding(2, level="lsoa"),
            finding(1, cell="oa of nowhere"),
            finding(1, cell=""),
        )
    )
    areas = exposed_areas(audit, hierarchy, tables=["benefit"])
    assert [(one.level, one.code, one.worst.kind, one.number) for one in areas] == [
        ("oa", "E00990001", "pinned", 2),
        ("oa", "E00990004", "group", 1),
        ("lsoa", "E01990002", "pinned", 1),
    ]


def test_a_map_for_each_level_with_findings_and_a_table_that_says_the_same() -> None:
    audit = make_attack().audit
    by_area, by_lsoa = maps_of(audit, unlisted=21)
    assert (by_area.level, by_lsoa.level) == ("oa", "lsoa")
    assert by_area.png.startswith(b"\x89PNG") and b"<svg" in by_area.svg
    assert b"PRIVATE" in by_area.svg and b"not drawn: 21" in by_area.svg and b"no finding listed" in by_area.svg
    assert "60 output areas, of which 20 have findings" in by_area.alt and "pinned 20" in by_area.alt
    assert len(by_area.table.rows) == 20 and by_lsoa.table.rows[0].head == "Northmere 001C"
    assert by_lsoa.table.rows[0].about == ("E01990002", "too narrow: lsoa E01990002, benefit=UC")
    assert maps_of(Audit()) == ()


def test_levels_without_boundaries_are_drawn_on_the_areas_above() -> None:
    (only,) = maps_of(Audit(findings=(finding(1), finding(2, "group"), finding(7))), boundaries=["lsoa"])
    assert only.level == "lsoa" and [(row.about[0], row.cells) for row in only.table.rows] == [
        ("E01990000", ("2",)),
        ("E01990001", ("1",)),
    ]


def test_many_kinds_share_the_last_class() -> None:
    kinds = ("pinned", "insider", "group", "too narrow", "revision", "two values")
    (only,) = maps_of(Audit(findings=tuple(finding(at, kind) for at, kind in enumerate(kinds))), boundaries=["oa"])
    assert "pinned 1; insider 1; group 1; others 3" in only.alt
    assert b"others" in only.svg


def test_the_review_pack_tells_the_attack_in_the_same_words(tmp_path) -> None:
    scene = make_scene(areas=60)
    facts = make_facts(audit=make_attack().audit, mends=(PASSING, FAILING), boundaries=scene.boundaries)
    written = {path.name: path for path in write_review(tmp_path, facts)}
    text = written["review.html"].read_text(encoding="utf-8")
    assert told(text).count("by a published sum it equals <7>") == 1
    assert text.count('src="data:image/png;base64,') == 2 and PASSING.sentence in told(text)
    assert {"exposed-oa.png", "exposed-oa.svg", "exposed-lsoa.png", "exposed-lsoa.svg", "mends.csv"} <= set(written)
    rows = list(csv.DictReader(io.StringIO(written["mends.csv"].read_text(encoding="utf-8"))))
    assert [row["passes"] for row in rows] == ["True", "False"]
    lost = [target for target in re.findall(r'href="#([^"]+)"', text) if f'id="{target}"' not in text]
    assert lost == []


def test_the_same_findings_give_the_same_picture() -> None:
    audit = Audit(findings=(finding(1),))
    assert [one.png for one in maps_of(audit)] == [one.png for one in maps_of(audit)]
