"""Rates: worked out from published figures and public files alone, told in every format, and worked out again by the check."""

import dataclasses
import json
import shutil
import warnings
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from csvw import CSVW
from derived_place import (
    AGE_RATE,
    AGES,
    AREAS_OF,
    BANDS,
    RATE,
    RESIDENTS,
    append,
    with_all,
    with_parts,
    write,
    write_ages,
    write_residents,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from odfdo import Document
from small_place import change, command, copied, files, rows_of
from test_check import change as spoil
from test_check import found, listed_anew

from common.faults import InputError
from releases.check import check_release
from releases.publish.denominators import Denominators
from releases.publish.pipeline import publish
from releases.publish.rates import rate_table, rates_of
from releases.publish.statspec import DenominatorSpec, RateSpec
from reports.model import ReportTable
from sdc.tables import LOW, NOT_AVAILABLE, SHOWN, STRUCTURAL, SUPPRESSED, Classification, Hierarchy, Method, SafeTable

LSOAS = AREAS_OF["lsoa"]


@pytest.fixture(scope="module")
def told(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the small place was published with rates and estimates, as `out` and `out-review`."""
    folder = tmp_path_factory.mktemp("rates")
    publish(with_all(copied(place, folder / "given")), folder / "out")
    return folder


@pytest.fixture
def out(told: Path, tmp_path: Path) -> Path:
    """A copy that may be spoiled."""
    shutil.copytree(told / "out", tmp_path / "out")
    return tmp_path / "out"


def values(folder: Path, table: str) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["area"], row["age_band"]): row for row in rows_of(folder / "tables" / f"{table}.csv")}


# --- What a rate is -------------------------------------------------------------------------------

# figure, marker of the figure, denominator (None: not available) -> rate per 1,000 with one decimal, marker
RULES = [
    (20, SHOWN, 400, "50.0", ""),
    (15, SHOWN, 400, "37.5", "u"),  # rounding alone may move 15 by 4, which is more than a fifth of it
    (0, SHOWN, 400, "0.0", "u"),  # and 0 by any share
    (25, SHOWN, 3000, "8.3", ""),
    (25, SHOWN, 40, "625.0", ""),
    (35, SHOWN, 30, "1166.7", ""),  # more than its denominator: told to the reviewer, published as it is
    (20, SHOWN, 0, "", "z"),
    (0, SHOWN, 0, "", "z"),
    (20, SHOWN, None, "", "x"),
    (0, SUPPRESSED, 400, "", "c"),
    (0, SUPPRESSED, None, "", "c"),
    (0, STRUCTURAL, 0, "", "z"),
    (0, NOT_AVAILABLE, 400, "", "x"),
    (0, LOW, 400, "", "low"),
]


def totals(figures: list[int], markers: list[int], method: Method) -> ReportTable:
    codes = np.array([f"E0100000{number:02d}" for number in range(len(figures))])
    safe = SafeTable(
        hierarchy=Hierarchy(levels=("lsoa",), codes=(codes,), parents=()),
        classification=Classification(dimensions=(), categories=()),
        values=(np.array(figures, np.int64)[:, None],),
        markers=(np.array(markers, np.int8)[:, None],),
        method=method,
    )
    return ReportTable(id="all", title="Claims", safe=safe, dimension_names={}, labels={})


def on(*below: int | None) -> Denominators:
    spec = DenominatorSpec.model_validate({**RESIDENTS, "level": "lsoa"})
    return Denominators(spec=spec, values={"lsoa": np.array([-1 if one is None else one for one in below])}, codes={})


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rules_of_a_rate(rule: tuple[int, int, int | None, str, str]) -> None:
    figure, marker, below, rate, mark = rule
    table = totals([figure], [marker], Method(name="controlled-rounding", base=5))
    made = rate_table(RateSpec.model_validate(RATE), table, on(below), "Made up")
    column = made.columns[0]
    text = str(Decimal(int(column.values[0][0, 0])).scaleb(-1)) if column.markers[0][0, 0] == SHOWN else ""
    assert (text, next(iter(made.cells_by_marker))) == (rate, mark or "shown")


@pytest.mark.parametrize(
    ("method", "figure", "share", "weak"),
    [
        (Method(name="controlled-rounding", base=5), 20, 0.2, False),  # 4 / 20 is the share, not above it
        (Method(name="controlled-rounding", base=5), 15, 0.2, True),
        (Method(name="controlled-rounding", base=10), 40, 0.2, True),  # 9 / 40
        (Method(name="controlled-rounding", base=10), 50, 0.2, False),
        (Method(name="conventional-rounding", base=5), 10, 0.2, False),  # 2 / 10
        (Method(name="conventional-rounding", base=5), 5, 0.2, True),
        (Method(name="controlled-rounding", base=5), 5, 0.8, False),
        (Method(name="controlled-rounding", base=4), 30, 0.1, False),  # 3 / 30 is a tenth to the last digit
        (Method(name="exact", base=1), 0, 0.2, False),
    ],
)
def test_low_reliability_is_what_rounding_alone_may_do(method: Method, figure: int, share: float, weak: bool) -> None:
    spec = RateSpec.model_validate({**RATE, "max_relative_error": share})
    made = rate_table(spec, totals([figure], [SHOWN], method), on(1000), "Made up")
    assert ("u" in made.markers_in_use) is weak


@settings(max_examples=60, deadline=None)
@given(
    figures=st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
    below=st.integers(1, 10**9),
    per=st.sampled_from([100, 1000, 10_000, 100_000]),
    decimals=st.integers(0, 3),
)
def test_rates_are_rounded_half_up_without_floating_point(
    figures: list[int], below: int, per: int, decimals: int
) -> None:
    found = rates_of(np.array(figures), np.full(len(figures), below), per=per, decimals=decimals)
    for figure, rate in zip(figures, found.tolist(), strict=True):
        twice = 2 * figure * per * 10**decimals
        assert 2 * rate * below - below <= twice < 2 * rate * below + below


def test_a_rate_is_a_function_of_what_is_published(told: Path) -> None:
    """Anybody with the two public files works out every rate and marker: there is nothing else in them."""
    figures, rates = values(told / "out", "age"), values(told / "out", "age-rate")
    assert len(rates) == (8 + 2) * 7
    for key, row in rates.items():
        figure, below = int(figures[key]["value"]), row["denominator"]
        if below in ("", "0"):
            assert (row["value"], row["marker"]) == ("", "z" if below else "x")
            continue
        rate = (Decimal(figure) * 100 / Decimal(below)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert (row["value"], row["marker"]) == (str(rate), "u" if 0.2 * figure < 4 else "")


def test_rates_change_nothing_of_what_is_published_without_them(told: Path, place: Path, tmp_path: Path) -> None:
    plain = with_all(copied(place, tmp_path / "given"))
    with_parts(plain, denominator=[], rate=[], estimate=[])
    found = publish(plain, tmp_path / "out")
    for ending in (".csv", ".csv-metadata.json", ".parquet", ".ods", ".xlsx"):
        name = f"tables/age{ending}"
        assert (tmp_path / "out" / name).read_bytes() == (told / "out" / name).read_bytes()
    assert found.audit.safe and "derived" not in json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_attack_of_the_folder_takes_the_counts_alone(told: Path, tmp_path: Path) -> None:
    ran = command("attack", told / "out", "--json")
    assert ran.code == 0, ran.err
    assert "age-rate" not in ran.out and "need" not in ran.out


# --- What is published ----------------------------------------------------------------------------


def test_missing_and_zero_denominators_are_marked_and_told(told: Path) -> None:
    rates = values(told / "out", "age-rate")
    assert (rates[LSOAS[0], "Y16T24"]["denominator"], rates[LSOAS[0], "Y16T24"]["marker"]) == ("0", "z")
    assert (rates[LSOAS[1], "Y25T34"]["denominator"], rates[LSOAS[1], "Y25T34"]["marker"]) == ("", "x")
    assert rates[LSOAS[1], "Total"]["marker"] == "x"  # a total is the sum of its parts, where all are given
    assert rates[LSOAS[0], "Total"]["denominator"] == "250"
    report = (told / "out-review" / "review.html").read_text(encoding="utf-8")
    assert "Rates by age: 2 cells of lsoa have no denominator and are marked [x]" in report
    assert "Rates by age: 1 cells of lsoa have a denominator of 0 and are marked [z]" in report
    assert "must stand under [[already_public]]" in report


def test_status_is_carried_everywhere(told: Path) -> None:
    out = told / "out"
    page = (out / "tables" / "claim-rate.html").read_text(encoding="utf-8")
    assert '<strong class="govuk-tag govuk-tag--grey">Experimental</strong>' in page
    assert (
        "Contains made-up population data." in page and "Denominator: Residents aged 16 and over, 30 June 2025" in page
    )
    document = json.loads((out / "tables" / "claim-rate.csv-metadata.json").read_text())
    assert document["schema:creativeWorkStatus"] == "experimental"
    assert document["notes"][0]["derived"]["status"] == "experimental"
    listed = json.loads((out / "manifest.json").read_text())["derived"]
    assert {one["id"]: one["status"] for one in listed} == {
        "claim-rate": "experimental",
        "age-rate": "official",
        "need": "in development",
    }
    for sheet in ("Cover", "Notes"):
        cells = sheet_rows(out / "tables" / "claim-rate.ods", sheet)
        assert any("Status: experimental, as the source has it." in str(row) for row in cells), sheet


def sheet_rows(path: Path, sheet: str) -> list[list[object]]:
    table = Document(str(path)).body.get_table(name=sheet)
    assert table is not None
    return [[cell.value for cell in row.cells] for row in table.rows]


def test_workbook_has_a_row_for_each_area_and_category(told: Path) -> None:
    rows = sheet_rows(told / "out" / "tables" / "age-rate.ods", "LSOA")
    header = next(place for place, row in enumerate(rows) if len(row) > 1)
    assert [str(text) for text in rows[header][-4:]] == [
        "Age band",
        "Rate per 100",
        "Denominator (Residents by age)",
        "Marker",
    ]
    rates = values(told / "out", "age-rate")
    body = rows[header + 1 :]
    assert len(body) == 8 * 7
    for row, band in zip(body, (*BANDS, "Total") * 8, strict=True):
        wanted = rates[str(row[0]), band]
        marker = f"[{wanted['marker']}]" if wanted["marker"] else "none"
        value = Decimal(str(row[-3])) if wanted["value"] else row[-3]
        assert (value, row[-1]) == (Decimal(wanted["value"]) if wanted["value"] else marker, marker)


def test_parquet_holds_exact_decimals(told: Path) -> None:
    table = pq.read_table(told / "out" / "tables" / "age-rate.parquet")
    kinds = {name: str(table.schema.field(name).type) for name in ("value", "denominator", "marker")}
    assert kinds == {"value": "decimal128(18, 2)", "denominator": "int64", "marker": "string"}
    rows = rows_of(told / "out" / "tables" / "age-rate.csv")
    assert ["" if one is None else str(one) for one in table["value"].to_pylist()] == [row["value"] for row in rows]


@pytest.mark.parametrize("table", ["claim-rate", "age-rate", "need"])
def test_csvw_is_valid_without_a_warning(told: Path, table: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = CSVW(str(told / "out" / "tables" / f"{table}.csv-metadata.json"), validate=True)
        assert document.is_valid and list(document.t)


def test_a_second_run_gives_the_same_bytes(told: Path, tmp_path: Path) -> None:
    shutil.copytree(told / "given", tmp_path / "given")
    publish(next((tmp_path / "given").rglob("RELEASE.toml")), tmp_path / "out")
    assert files(tmp_path / "out") == files(told / "out")


# --- The check ------------------------------------------------------------------------------------


def test_check_finds_nothing_in_what_was_published(told: Path) -> None:
    audit = check_release(told / "out", told / "out-review")
    assert audit.safe and any("rates worked out anew" in text for text in audit.checked)


def first_line(path: Path, table: str, column: str) -> tuple[str, str]:
    """The first line of a table that has a value in a column above 0, and the line with that value raised."""
    header, *lines = (path / "tables" / f"{table}.csv").read_text().splitlines()
    at = header.split(",").index(column)
    for line in lines:
        fields = line.split(",")
        if fields[at] and Decimal(fields[at]) > 0 and fields[-1] == "":
            raised = Decimal(fields[at]) + Decimal(1).scaleb(Decimal(fields[at]).as_tuple().exponent)  # type: ignore[arg-type]
            return line, ",".join([*fields[:at], str(raised), *fields[at + 1 :]])
    raise AssertionError(table)


@pytest.mark.parametrize("column", ["value", "denominator"])
def test_check_fails_on_a_rate_that_does_not_agree(out: Path, column: str) -> None:
    line, other = first_line(out, "age-rate", column)
    spoil(out / "tables" / "age-rate.csv", line, other)
    listed_anew(out)
    assert ("rate", "tables/age-rate.csv") in found(check_release(out))
    assert command("check", out).code == 1


def test_check_fails_on_a_figure_that_its_rates_do_not_follow(out: Path) -> None:
    """One digit in a published count: the rates on it no longer fit."""
    line, other = first_line(out, "age", "value")
    spoil(out / "tables" / "age.csv", line, other)
    listed_anew(out)
    kinds = {kind for kind, file in found(check_release(out)) if file.startswith("tables/age")}
    assert kinds


@pytest.mark.parametrize(("old", "new"), [(",u\n", ",\n"), (",z\n", ",x\n")])
def test_check_fails_on_another_marker(out: Path, old: str, new: str) -> None:
    spoil(out / "tables" / "age-rate.csv", old, new)
    listed_anew(out)
    assert ("rate marker", "tables/age-rate.csv") in found(check_release(out))


def test_check_compares_every_file_with_the_csv(out: Path) -> None:
    shutil.copy(out / "tables" / "claim-rate.parquet", out / "tables" / "age-rate.parquet")
    shutil.copy(out / "tables" / "claim-rate.ods", out / "tables" / "age-rate.ods")
    (out / "tables" / "need.xlsx").unlink()
    listed_anew(out)
    assert {
        ("parquet", "tables/age-rate.parquet"),
        ("workbook figure", "tables/age-rate.ods"),
        ("workbook", "tables/need.xlsx"),
    } <= found(check_release(out))


@pytest.mark.parametrize(
    "wrong",
    [
        {"derived": "none"},
        {"derived": [{"id": "claim-rate"}]},
        {"kind": "guess"},
        {"of": "nothing"},
        {"status": "official"},
        {"levels": ["ward"]},
        {"cells": {"shown": 1}},
        {"id": "age"},
    ],
)
def test_check_fails_on_a_manifest_that_tells_otherwise(out: Path, wrong: dict[str, object]) -> None:
    plain = json.loads((out / "manifest.json").read_text())
    if "derived" in wrong:
        plain |= wrong
    else:
        plain["derived"][0] |= wrong
    (out / "manifest.json").write_text(json.dumps(plain))
    assert not check_release(out).safe


def test_a_derived_table_that_nobody_lists_is_found(out: Path) -> None:
    plain = json.loads((out / "manifest.json").read_text())
    plain["derived"] = plain["derived"][:1]
    (out / "manifest.json").write_text(json.dumps(plain))
    assert ("manifest", "tables/need.csv") in found(check_release(out))


# --- What is refused ------------------------------------------------------------------------------


def refused(release: Path) -> str:
    with pytest.raises(InputError) as told:
        publish(release, release.parent.parent / "out")
    assert not (release.parent.parent / "out").exists()
    return str(told.value)


def test_all_faults_of_all_files_at_once(release: Path) -> None:
    with_all(release)
    rows = [
        "area,value",
        f"{LSOAS[0]},100",
        f"{LSOAS[0]},100",  # twice
        f"{LSOAS[1]},-5",
        f"{LSOAS[2]},LOTS",
        f"{LSOAS[3]},10.5",
        f'{LSOAS[4]},"1,000"',
        "E01999999,100",  # no area of the release
        f"{AREAS_OF['msoa'][0]},100",  # not a level of the file
        ",100",
    ]
    write(release.parent / "residents.csv", rows)
    write_ages(release.parent)
    append(release.parent / "ages.csv", f"{LSOAS[0]},Y0T15,3")
    text = refused(release)
    for part in (
        f"row 3, column 'area': area '{LSOAS[0]}' has this row twice",
        "row 4, column 'value': a negative denominator",
        "row 5, column 'value': a denominator that is no number",
        "row 6, column 'value': a denominator with a decimal point",
        "row 7, column 'value': a denominator with commas",
        "row 8, column 'area': area 'E01999999' is not in the lookup",
        f"row 9, column 'area': area '{AREAS_OF['msoa'][0]}' is of the level msoa",
        "row 10, column 'area': has no area",
        f"area '{LSOAS[7]}' of level lsoa has no row",
        "area 'E08920000' of level lad has no row",
        "ages.csv, row 62, column 'age_band': 'Y0T15' is no code of age_band",
    ):
        assert part in text, part
    assert "LOTS" not in text and "10.5" not in text


def test_rows_of_other_areas_may_be_left_out_and_rows_may_be_missing(release: Path) -> None:
    with_all(release)
    folder = release.parent
    write_residents(folder, levels=("oa", "lsoa"))
    append(folder / "residents.csv", "E01999999,100")
    spec = {**RESIDENTS, "other_areas": "leave out", "complete": False}
    with_parts(release, denominator=[spec], rate=[RATE], estimate=[])
    publish(release, folder.parent / "out")
    rates = values(folder.parent / "out", "claim-rate")
    assert {area for area, _ in rates} == {*LSOAS, *AREAS_OF["lad"]}
    assert {row["marker"] for (area, _), row in rates.items() if area.startswith("E08")} == {"x"}
    report = (folder.parent / "out-review" / "review.html").read_text(encoding="utf-8")
    assert "Residents aged 16 and over: 25 rows are of areas that this release does not tell" in report


def test_levels_may_stand_in_a_column(release: Path) -> None:
    with_all(release)
    folder = release.parent
    rows = [f"{level},{area},100" for level in ("lsoa", "lad") for area in AREAS_OF[level]]
    write(folder / "residents.csv", ["kind,area,value", *rows])
    spec = {name: value for name, value in RESIDENTS.items() if name != "level"} | {"level_column": "kind"}
    with_parts(release, denominator=[spec], rate=[RATE], estimate=[])
    publish(release, folder.parent / "out")
    assert {row["area_level"] for row in rows_of(folder.parent / "out/tables/claim-rate.csv")} == {"lsoa", "lad"}
    write(folder / "residents.csv", ["kind,area,value", *rows, f"lad,{LSOAS[0]},1", f"ward,{LSOAS[0]},1"])
    shutil.rmtree(folder.parent / "out")
    text = refused(release)
    assert f"area '{LSOAS[0]}' is of the level lsoa" in text and "'ward' is no level of the geography" in text


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"rate": [{**RATE, "of": "sex"}]}, "is of 'sex', which is no table"),
        ({"rate": [{**RATE, "denominator": "homes"}]}, "is on 'homes', which is no denominator"),
        ({"rate": [{**RATE, "id": "age"}]}, "the id 'age' is that of two tables"),
        ({"rate": []}, "no rate is on the denominator 'residents'"),
        ({"denominator": [{**RESIDENTS, "by": ["sex"]}]}, "by sex, which table 'age' is not by"),
        ({"denominator": [{**RESIDENTS, "level": "ward"}]}, "of the level ward, which the geography has not"),
        ({"denominator": [{**RESIDENTS, "level": []}]}, "set level, or level_column"),
        ({"denominator": [RESIDENTS, RESIDENTS]}, "two denominators have one id"),
        ({"rate": [{**RATE, "per": 7}]}, "rate.1.per"),
        ({"rate": [{**RATE, "decimals": 9}]}, "rate.1.decimals"),
        ({"rate": [{**RATE, "max_relative_error": 0}]}, "rate.1.max_relative_error"),
    ],
)
def test_what_does_not_fit_together_is_refused(release: Path, parts: dict[str, object], told: str) -> None:
    with_parts(release, **{"denominator": [RESIDENTS], "rate": [RATE], "estimate": [], **parts})  # type: ignore[arg-type]
    with_parts(release, table=[{"id": "age", "title": "Claims by age", "by": ["age_band"]}])
    write_residents(release.parent)
    assert told in refused(release)


def test_a_denominator_by_age_needs_the_age_of_the_table(release: Path) -> None:
    write_ages(release.parent)
    with_parts(
        release, table=[{"id": "age", "title": "Claims by sex", "by": ["sex"]}], denominator=[AGES], rate=[AGE_RATE]
    )
    assert "by age_band, which table 'age' is not by" in refused(change(release))


def test_a_derived_table_checks_itself() -> None:
    table = totals([20], [SHOWN], Method(name="controlled-rounding"))
    made = rate_table(RateSpec.model_validate(RATE), table, on(400), "Made up")
    with pytest.raises(ValueError, match="kind"):
        dataclasses.replace(made, kind="guess")
    with pytest.raises(ValueError, match="all different"):
        dataclasses.replace(made, columns=made.columns[:1] * 2)
    with pytest.raises(ValueError, match="a row for each area"):
        dataclasses.replace(made, markers=())
    with pytest.raises(ValueError, match="decimals"):
        dataclasses.replace(made.columns[0], decimals=9)
