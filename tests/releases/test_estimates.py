"""Survey estimates: told as they were supplied, with their limits and a marker, and never taken for counts."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from derived_place import AREAS_OF, RATE, SURVEY, with_all, with_parts, write_survey
from hypothesis import given, settings
from hypothesis import strategies as st
from small_place import copied, rows_of
from test_check import change as spoil
from test_check import found, listed_anew

from common.faults import Faults, InputError
from releases.check import check_release
from releases.publish.estimates import is_weak, read_estimates
from releases.publish.pipeline import publish
from releases.publish.statspec import EstimateSpec
from reports.derived import DerivedTable, number_text
from sdc.tables import Hierarchy

TOWNS = AREAS_OF["lad"]
PLACES = Hierarchy(levels=("lad",), codes=(np.array(TOWNS),), parents=())


def read(folder: Path, *rows: str, header: str = "area,estimate,lower,upper,base", **more: object) -> DerivedTable:
    """The table of two towns' estimates, or InputError with all faults."""
    path = write_survey(folder, *rows, header=header)
    faults = Faults(str(path))
    found = read_estimates(EstimateSpec.model_validate({**SURVEY, "path": path, **more}), PLACES, faults)
    faults.raise_if_any()
    assert found is not None
    return found[0]


def told(table: DerivedTable) -> list[tuple[str, ...]]:
    """Each town's figures as text, blank where none, and its marker."""
    rows = []
    for unit in range(2):
        texts = [
            "" if column.markers[0][unit, 0] else number_text(int(column.values[0][unit, 0]), column.decimals)
            for column in table.columns
        ]
        rows.append((*texts, {0: "", 1: "c", 2: "z", 3: "x", 6: "u"}[int(table.markers[0][unit, 0])]))
    return rows


# rules, row (estimate, lower, upper, base) -> marker
RULES = [
    ({"min_base": 30}, "12,10,14,30", ""),
    ({"min_base": 30}, "12,10,14,29", "u"),
    ({"min_base": 30}, "12,10,14,", ""),  # no base is told: the rule has nothing to go by
    ({"max_half_width": 2}, "12,10,14,9", ""),
    ({"max_half_width": 2}, "12,10,14.1,9", "u"),
    ({"max_half_width": 2}, "12,10,14.04,9", ""),  # on figures as they are published: 14.0
    ({"max_cv": 0.2}, "12,7.3,16.7,9", ""),  # 9.4 / (2 * 1.96 * 12) = 0.19984
    ({"max_cv": 0.2}, "12,7.2,16.7,9", "u"),
    ({"max_cv": 0.2}, "0,0,0.5,9", "u"),
    ({"max_cv": 0.2}, "0,0,0,9", ""),
    ({"max_cv": 0.2, "confidence": 0.9}, "12,7.3,16.7,9", "u"),  # the same width says more at 90%
    ({"max_half_width": 9, "min_base": 10}, "12,10,14,9", "u"),  # either rule is enough
    ({}, "12,0,99,1", ""),
]


@pytest.mark.parametrize(("rules", "row", "marker"), RULES, ids=str)
def test_rules_of_low_reliability(tmp_path: Path, rules: dict[str, object], row: str, marker: str) -> None:
    without = {"min_base": None}
    table = read(tmp_path, f"{TOWNS[0]},{row}", f"{TOWNS[1]},5,4,6,99", **{**without, **rules})
    assert told(table)[0][-1] == marker


def test_figures_are_as_they_were_supplied(tmp_path: Path) -> None:
    table = read(tmp_path, f"{TOWNS[0]},12.25,-0.04,14.95,80", f"{TOWNS[1]},,,,12")
    assert told(table) == [("12.3", "0.0", "15.0", "80", ""), ("", "", "", "12", "x")]
    table = read(tmp_path, f"{TOWNS[0]},12.25,-1.234,14,80", f"{TOWNS[1]},1,1,1,12", decimals=2, min_base=None)
    assert told(table)[0] == ("12.25", "-1.23", "14.00", "80", "")


def test_markers_of_the_source(tmp_path: Path) -> None:
    header = "area,estimate,lower,upper,base,mark"
    table = read(tmp_path, f"{TOWNS[0]},12,10,14,80,[u]", f"{TOWNS[1]},,,,,c", header=header, marker="mark")
    assert [row[-1] for row in told(table)] == ["u", "c"]
    assert any("that its source calls of low reliability" in text for text in table.made)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("12,12.1,14,80,", "a lower limit above the estimate"),
        ("12,10,11.9,80,", "an upper limit below the estimate"),
        ("12,10,,80,", "one limit without the other"),
        ("12,,,80,", "an estimate without limits"),
        (",10,14,80,", "limits without an estimate"),
        ("quince,10,14,80,", "a figure that is no number"),
        ("12,10,14,8.5,", "a sample base that is no whole number"),
        ("12,10,14,-8,", "a sample base that is no whole number"),
        ("12,10,14,80,x", "an estimate, and a marker that stands instead of one"),
        (",,,80,u", "the marker u without an estimate"),
        ("12,10,14,80,?", "a marker that is not known"),
        ("1e3,10,14,80,", "a figure that is no number"),
    ],
)
def test_faults_of_a_row(tmp_path: Path, row: str, fault: str) -> None:
    rows = (f"{TOWNS[0]},{row}", f"{TOWNS[1]},5,4,6,99,")
    with pytest.raises(InputError, match=fault) as caught:
        read(tmp_path, *rows, header="area,estimate,lower,upper,base,mark", marker="mark")
    assert "row 2" in str(caught.value) and len(caught.value.faults) == 1


def test_every_fault_at_once(release: Path) -> None:
    with_all(release)
    rows = (f"{TOWNS[0]},12,13,14,80", f"{TOWNS[0]},12,10,11,x", "E08999999,1,1,1,1", f"{AREAS_OF['msoa'][0]},1,1,1,1")
    write_survey(release.parent, *rows)
    (release.parent / "residents.csv").unlink()
    with pytest.raises(InputError) as caught:
        publish(release, release.parent.parent / "out")
    for part in (
        "residents.csv: ",
        "a lower limit above the estimate",
        "an upper limit below the estimate",
        "a sample base that is no whole number",
        f"area '{TOWNS[0]}' has this row twice",
        "area 'E08999999' is not in the lookup",
        "is of the level msoa",
        f"area '{TOWNS[1]}' of level lad has no row",
    ):
        assert part in str(caught.value), part


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"base": None}, "min_base needs the column"),
        ({"confidence": 95}, "estimate.1.confidence"),
        ({"max_cv": 0}, "estimate.1.max_cv"),
        ({"period": ""}, "estimate.1.period"),
        ({"id": "age"}, "the id 'age' is that of two tables"),
        ({"standard_error": "se"}, "estimate.1.standard_error"),
    ],
)
def test_what_an_entry_may_not_say(release: Path, change: dict[str, object], fault: str) -> None:
    with_all(release)
    spec = {name: value for name, value in {**SURVEY, **change}.items() if value is not None}
    with_parts(release, estimate=[spec])
    with pytest.raises(InputError, match=fault):
        publish(release, release.parent.parent / "out")


# --- What is published ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the small place was published with the survey, as `out` and `out-review`."""
    folder = tmp_path_factory.mktemp("estimates")
    release = with_all(copied(place, folder / "given"))
    with_parts(release, denominator=[], rate=[])
    publish(release, folder / "out")
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "out", tmp_path / "out")
    return tmp_path / "out"


def test_table(made: Path) -> None:
    rows = rows_of(made / "out" / "tables" / "need.csv")
    assert list(rows[0]) == ["area_level", "area", "value", "ci_lower", "ci_upper", "base", "marker"]
    assert [list(row.values()) for row in rows] == [
        ["lad", TOWNS[0], "12.3", "10.0", "14.9", "80", ""],
        ["lad", TOWNS[1], "7.1", "3.0", "11.1", "29", "u"],
    ]


def test_page_says_what_they_are_not(made: Path) -> None:
    page = (made / "out" / "tables" / "need.html").read_text(encoding="utf-8")
    assert "They are not counts of claims or of claimants" in page
    assert "not part of the attack" in page
    assert "7.1 [u]" in page and "[u] = low reliability." in page and "95% confidence interval" in page
    assert ">In development</strong>" in page and ">Provisional</strong>" not in page
    assert "April 2025 to March 2026" in page and "Made-up survey of households" in page
    assert "Figures are for" not in page
    methods = (made / "out" / "methods.html").read_text(encoding="utf-8")
    assert "Survey estimates" in methods and "How rates are made" not in methods


def test_reviewer_is_told_that_nobody_attacked_them(made: Path) -> None:
    report = (made / "out-review" / "review.html").read_text(encoding="utf-8")
    assert "They are no counts of claimants, and were neither rounded nor attacked" in report
    assert not list((made / "out-review").glob("*need*"))


def test_metadata_tell_period_confidence_and_rules(made: Path) -> None:
    document = json.loads((made / "out" / "tables" / "need.csv-metadata.json").read_text())
    assert document["dc:temporal"] == "April 2025 to March 2026"
    facts = document["notes"][0]["derived"]
    assert (facts["confidence"], facts["low_reliability"]["min_base"]) == (0.95, 30)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("12.3,10.0", "12.3,12.4", "limits"),
        ("11.1,29,u", "7.0,29,u", "limits"),
        ("11.1,29,u", "11.1,29,", "reliability"),
        ("14.9,80,", "14.9,80,u", "reliability"),
        ("7.1,3.0,11.1,29,u", "7.1,,,29,u", "limits"),
        ("12.3,", "12.30,", "value"),
        ("12.3,10.0,14.9,80,", ",,,80,", "value"),
    ],
)
def test_check_fails_on_what_cannot_be(out: Path, old: str, new: str, kind: str) -> None:
    spoil(out / "tables" / "need.csv", old, new)
    listed_anew(out)
    assert (kind, "tables/need.csv") in found(check_release(out))


@settings(max_examples=80, deadline=None)
@given(
    value=st.integers(-500, 500),
    below=st.integers(0, 300),
    above=st.integers(0, 300),
    base=st.integers(0, 100),
    limit=st.integers(1, 200),
    least=st.integers(1, 100),
)
def test_rules_are_those_of_the_documentation(
    value: int, below: int, above: int, base: int, limit: int, least: int
) -> None:
    rows = (np.array([one]) for one in (value, value - below, value + above, base))
    weak = is_weak(*rows, decimals=1, confidence=0.95, max_half_width=limit / 10, min_base=least)
    assert weak.item() is ((below + above) / 2 > limit or base < least)


def test_the_id_of_a_rate_is_no_estimates(release: Path) -> None:
    with_all(release)
    with_parts(release, estimate=[{**SURVEY, "id": RATE["id"]}])
    with pytest.raises(InputError, match="is that of two tables, rates or estimates"):
        publish(release, release.parent.parent / "out")
