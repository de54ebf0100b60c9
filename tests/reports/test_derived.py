"""Derived tables go through the writers of every other table: long form, metadata, workbooks, pages."""

import dataclasses
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from csvw import CSVW
from derivedsamples import derived_table
from hypothesis import given
from hypothesis import strategies as st
from tablesamples import facts, report_table, safe_table
from workbookreader import ReadSheet, read_ods, read_xlsx

from reports.csvw import csvw_document, write_csvw
from reports.derived import number_text
from reports.derivedpages import derived_page
from reports.longform import long_columns, write_long
from reports.metadata import find_block, is_derived
from reports.ods import write_ods
from reports.site import write_site
from reports.workbook import build_workbook
from reports.xlsx import write_xlsx
from sdc.tables import SHOWN

READERS = {"ods": (write_ods, read_ods), "xlsx": (write_xlsx, read_xlsx)}
TABLE = derived_table(safe_table(), hidden=(1,))


@given(value=st.integers(-(10**15), 10**15), decimals=st.integers(0, 6))
def test_a_number_has_exactly_the_decimals_it_is_meant_to_have(value: int, decimals: int) -> None:
    text = number_text(value, decimals)
    assert Decimal(text) == Decimal(value).scaleb(-decimals)
    assert (
        len(text.partition(".")[2]) == decimals and number_text(value, decimals, grouped=True).replace(",", "") == text
    )


def test_long_form(tmp_path: Path) -> None:
    write_long(TABLE, tmp_path / "rate.csv")
    lines = (tmp_path / "rate.csv").read_text().splitlines()
    assert lines[:5] == [
        "area_level,area,benefit,value,denominator,marker",
        "oa,E00000001,esa,,,x",
        "oa,E00000001,is,0.0,2000,u",
        "oa,E00000001,jsa,600.0,2000,",
        "oa,E00000001,Total,602.5,2000,",
    ]
    assert len(lines) == 1 + 4 * (5 + 2) and not any(line.startswith("msoa") for line in lines)
    assert long_columns(TABLE) == tuple(lines[0].split(","))


@pytest.mark.parametrize("decimals", [0, 1, 3])
def test_parquet_is_the_csv_with_types(tmp_path: Path, decimals: int) -> None:
    table = derived_table(safe_table(), decimals=decimals)
    for ending in ("csv", "parquet"):
        write_long(table, tmp_path / f"rate.{ending}")
    rows = [line.split(",") for line in (tmp_path / "rate.csv").read_text().splitlines()]
    read = pq.read_table(tmp_path / "rate.parquet")
    assert str(read.schema.field("value").type) == (f"decimal128(18, {decimals})" if decimals else "int64")
    for place, name in enumerate(rows[0]):
        assert ["" if one is None else str(one) for one in read[name].to_pylist()] == [row[place] for row in rows[1:]]


def test_parquet_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    """A text that stood twice in the markers' dictionary left bytes of chance behind it."""
    different = set()
    for _ in range(20):
        clutter = [np.random.default_rng(0).bytes(3000) for _ in range(20)]
        write_long(TABLE, tmp_path / "rate.parquet")
        different.add((tmp_path / "rate.parquet").read_bytes())
        assert clutter
    assert len(different) == 1


def test_csvw_is_valid_and_tells_no_block(tmp_path: Path) -> None:
    write_long(TABLE, tmp_path / "rate.csv")
    write_csvw(TABLE, facts(), tmp_path / "rate.csv-metadata.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = CSVW(str(tmp_path / "rate.csv-metadata.json"), validate=True)
        assert document.is_valid and document.tables
    plain = csvw_document(TABLE, facts())
    assert find_block(plain) is None and is_derived(tmp_path / "rate.csv")
    assert plain["schema:creativeWorkStatus"] == "experimental" and plain["dc:source"] == "Made up"
    assert [one["code"] for one in plain["notes"][1]["markers"]] == ["x", "u"]
    assert "u = low reliability" in plain["tableSchema"]["columns"][-1]["dc:description"]
    write_csvw(report_table(), facts(), tmp_path / "rate.csv-metadata.json")
    assert not is_derived(tmp_path / "rate.csv") and not is_derived(tmp_path / "none.csv")


@pytest.fixture(params=list(READERS))
def sheets(request: pytest.FixtureRequest, tmp_path: Path) -> list[ReadSheet]:
    write, read = READERS[request.param]
    write(build_workbook(TABLE, facts()), tmp_path / f"rate.{request.param}")
    return read(tmp_path / f"rate.{request.param}")


def test_worksheets_have_a_row_for_each_area_and_category(sheets: list[ReadSheet]) -> None:
    assert [sheet.name for sheet in sheets] == ["Cover", "Contents", "Notes", "LAD", "OA"]
    sheet = sheets[-1]
    table = sheet.tables[0]
    cells = [
        [sheet.cells[row, column] for column in range(table.last[1] + 1)]
        for row in range(table.first[0], table.last[0] + 1)
    ]
    heads = [cell.text for cell in cells[0]]
    assert heads[-4:] == ["Benefit", "Rate per 1,000", "Denominator (Residents)", "Marker"]
    told = [[cell.text if cell.number is None else float(cell.number) for cell in row[-4:]] for row in cells[1:]]
    assert told[:4] == [
        ["esa", "[x]", "[x]", "[x]"],
        ["is", 0.0, 2000.0, "[u]"],
        ["jsa", 600.0, 2000.0, "none"],
        ["Total", 602.5, 2000.0, "none"],
    ]
    assert len(told) == 4 * 5


def test_a_worksheet_says_its_shorthand_status_and_source(sheets: list[ReadSheet]) -> None:
    lines = [cell.text for (row, column), cell in sorted(sheets[-1].cells.items()) if column == 0 and row < 6]
    assert any("[x] = not available; [u] = low reliability" in line for line in lines)
    assert "Status: experimental, as the source has it." in lines and "Source: Made up" in lines


def test_a_worksheet_that_is_too_long_is_split_between_areas() -> None:
    sheets = build_workbook(TABLE, facts(), rows_per_sheet=8 + 2 * 4).sheets
    assert [sheet.name for sheet in sheets[3:]] == ["LAD", "OA_part_1", "OA_part_2", "OA_part_3"]
    assert [sheet.grid.rows for sheet in sheets[4:] if sheet.grid] == [8, 8, 4]
    with pytest.raises(ValueError, match="rows_per_sheet"):
        build_workbook(TABLE, facts(), rows_per_sheet=10)


def test_page_tells_status_markers_and_the_number_beside_its_marker() -> None:
    page = derived_page(facts(), TABLE)
    assert (page.status, page.kind, page.rounding) == ("Experimental", "rate", "")
    assert [marker.text for marker in page.markers] == ["x", "u"]
    smallest = page.levels[-1].table
    assert smallest is not None and smallest.columns[:4] == ("esa", "is", "jsa", "Total")
    assert smallest.rows[0].cells[:4] == ("[x]", "0.0 [u]", "600.0", "602.5")
    assert [level.id for level in page.levels] == ["lad", "oa"]


def test_site_has_its_page_behind_those_of_counts(tmp_path: Path) -> None:
    write_site(tmp_path, facts(), (report_table(),), derived=(TABLE,), manifest=False)
    page = (tmp_path / "tables" / "rate.html").read_text(encoding="utf-8")
    assert "Claims per 1,000 &lt;residents&gt;" in page and ">Experimental</strong>" in page
    assert "Contains made-up data." in page
    index = (tmp_path / "tables.html").read_text(encoding="utf-8")
    assert index.index("tables/benefit.html") < index.index("tables/rate.html")
    assert 'id="rates"' in (tmp_path / "methods.html").read_text(encoding="utf-8")


def test_a_site_without_rates_says_nothing_of_them(tmp_path: Path) -> None:
    write_site(tmp_path, facts(), (report_table(),), manifest=False)
    assert 'id="rates"' not in (tmp_path / "methods.html").read_text(encoding="utf-8")
    assert not (tmp_path / "tables" / "rate.html").exists()


def test_a_number_below_zero_stands_as_it_is(tmp_path: Path) -> None:
    column = TABLE.columns[0]
    below = tuple(
        np.where(marks == SHOWN, -values - 1, 0) for values, marks in zip(column.values, column.markers, strict=True)
    )
    change = dataclasses.replace(column, values=below)
    table = derived_table(safe_table(), hidden=(1,), columns=(change,))
    write_long(table, tmp_path / "rate.csv")
    assert "oa,E00000001,is,-0.1,u" in (tmp_path / "rate.csv").read_text()
