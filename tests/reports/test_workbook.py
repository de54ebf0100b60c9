"""What a workbook says: sheets, columns, notes, markers, parts of a table that is too long."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tablesamples import HIERARCHY, facts, report_table, safe_table

from reports.sheets import Column, Figures, Grid, Sheet, Texts, Workbook
from reports.statements import clock_time, markers_in_use, protection_statement, rounding_statement
from reports.workbook import build_workbook
from sdc.tables import NOT_PUBLISHED, SUPPRESSED, Classification, Method, SafeTable


def sheet_of(workbook: Workbook, name: str) -> Sheet:
    return next(sheet for sheet in workbook.sheets if sheet.name == name)


def texts_of(column: Column) -> list[str]:
    cells = column.cells
    assert isinstance(cells, Texts)
    return cells.texts.to_pylist() if cells.index is None else cells.texts.take(pa.array(cells.index)).to_pylist()


def lines_of(workbook: Workbook, name: str) -> list[str]:
    return [line.text for line in sheet_of(workbook, name).lines]


def test_sheets_come_in_the_order_of_the_rules() -> None:
    names = [sheet.name for sheet in build_workbook(report_table(), facts()).sheets]
    assert names == ["Cover", "Contents", "Notes", "LAD", "MSOA", "OA"]


def test_output_areas_stand_with_the_areas_that_hold_them() -> None:
    grid = sheet_of(build_workbook(report_table(), facts()), "OA").grid
    assert grid is not None and grid.name == "benefit_by_oa"
    assert [column.heading for column in grid.columns] == [
        "Output area code",
        "MSOA code",
        "MSOA name",
        "Local authority code",
        "Local authority name",
        "Employment and Support Allowance (claims)",
        "Income Support (claims)",
        "Jobseeker's Allowance <new> (claims)",
        "Total (claims)",
    ]
    assert texts_of(grid.columns[0]) == HIERARCHY.codes[0].tolist()
    assert texts_of(grid.columns[1]) == ["E02000001", "E02000001", "E02000002", "E02000003", "E02000003"]
    assert texts_of(grid.columns[4]) == ["Eastmere", "Eastmere", "Eastmere", "Westmere", "Westmere"]
    last = grid.columns[-1].cells
    assert isinstance(last, Figures) and last.values.tolist() == [1205, 15, 55, 270, 0]


def test_a_holder_that_is_the_same_for_all_is_left_out() -> None:
    """One authority: its column would say the same on every row."""
    from sdc.tables import Hierarchy

    hierarchy = Hierarchy(
        levels=("oa", "lad"),
        codes=(HIERARCHY.codes[0], np.array(["E09000001"])),
        parents=(np.zeros(5, np.int32),),
    )
    values = (safe_table().values[0], safe_table().values[0].sum(axis=0, keepdims=True))
    safe = SafeTable(
        hierarchy=hierarchy,
        classification=safe_table().classification,
        values=values,
        method=Method(name="controlled-rounding"),
    )
    workbook = build_workbook(report_table(safe), facts(area_names={}))
    grid = sheet_of(workbook, "OA").grid
    assert grid is not None and [column.heading for column in grid.columns][:2] == [
        "Output area code",
        "Employment and Support Allowance (claims)",
    ]


def test_every_worksheet_explains_its_own_markers_and_zero() -> None:
    workbook = build_workbook(report_table(safe_table(marked=True)), facts())
    assert lines_of(workbook, "LAD")[2] == "Some shorthand is used in this table: 0 = nil, or rounded to nil."
    assert lines_of(workbook, "MSOA")[2] == (
        "Some shorthand is used in this table: [c] = confidential; 0 = nil, or rounded to nil."
    )
    assert lines_of(workbook, "OA")[2] == (
        "Some shorthand is used in this table: [c] = confidential; [z] = not applicable; [x] = not available; "
        "[low] = nil, or rounded to nil; 0 = nil, or rounded to nil."
    )


def test_an_area_without_a_name_among_named_ones_is_marked_and_explained() -> None:
    names = {"msoa": np.array(["Mill Lane", "", "Sandhill"])}
    workbook = build_workbook(report_table(), facts(area_names=names))
    grid = sheet_of(workbook, "MSOA").grid
    assert grid is not None and texts_of(grid.columns[1]) == ["Mill Lane", "[x]", "Sandhill"]
    assert "[x] = not available" in lines_of(workbook, "MSOA")[2]


def test_cells_without_a_row_are_left_out_where_a_whole_row_or_column_is_empty() -> None:
    safe = safe_table()
    markers = [np.zeros_like(marked) for marked in safe.markers]
    markers[0][1, :] = NOT_PUBLISHED
    markers[0][:, 2] = NOT_PUBLISHED
    markers[0][3, 0] = NOT_PUBLISHED
    markers[1][:] = NOT_PUBLISHED
    workbook = build_workbook(report_table(replace(safe, markers=tuple(markers))), facts())
    assert [sheet.name for sheet in workbook.sheets][3:] == ["LAD", "OA"]
    grid = sheet_of(workbook, "OA").grid
    assert grid is not None and grid.rows == 4
    headings = [column.heading for column in grid.columns]
    assert "Jobseeker's Allowance <new> (claims)" not in headings
    assert "[x] = not available" in lines_of(workbook, "OA")[2]


def test_notes_are_numbered_and_each_title_refers_to_them() -> None:
    workbook = build_workbook(report_table(), facts())
    grid = sheet_of(workbook, "Notes").grid
    assert grid is not None
    assert texts_of(grid.columns[0]) == ["[note 1]", "[note 2]", "[note 3]", "[note 4]"]
    assert texts_of(grid.columns[1])[1:] == [
        "0 = nil, or rounded to nil.",
        rounding_statement(Method(name="controlled-rounding")),
        "Claims with no known address are left out.",
    ]
    assert lines_of(workbook, "OA")[0] == (
        "Claims by benefit: output areas, 31 May 2026 (provisional) [note 1][note 2][note 3][note 4]"
    )


def test_the_cover_tells_what_the_rules_ask() -> None:
    cover = lines_of(build_workbook(report_table(), facts(statements=("An exception holds until 2027.",))), "Cover")
    assert cover[:3] == ["Claims by benefit, 31 May 2026", "Benefits in small areas, May 2026", facts().summary]
    for line in (
        "Status: Provisional",
        "Published: 9:30am on 17 November 2026",
        "Next publication: 16 February 2027",
        "Source: Made-up claim records",
        "Licence: Open Government Licence v3.0",
        "Statistician: Small area statistics team",
        "Press: Press office",
        "An exception holds until 2027.",
        protection_statement(Method(name="controlled-rounding")),
    ):
        assert line in cover
    assert not any("Label" in line or "before" in line for line in cover)


def test_an_exception_is_printed_on_every_table() -> None:
    workbook = build_workbook(report_table(), facts(statements=("An exception holds until 2027.",)))
    for sheet in workbook.sheets[3:]:
        assert "An exception holds until 2027." in [line.text for line in sheet.lines]


@pytest.mark.parametrize(
    ("method", "said", "not_said"),
    [
        (Method(name="controlled-rounding", base=5), "totals still add up", "may not sum"),
        (Method(name="conventional-rounding", base=10), "may not sum because of rounding", "by chance"),
        (Method(name="exact", base=1), "not been rounded", "multiple"),
    ],
)
def test_the_rounding_is_told_as_it_is(method: Method, said: str, not_said: str) -> None:
    assert said in rounding_statement(method) and not_said not in rounding_statement(method)


def test_what_cannot_be_proven_is_promised_only_where_it_holds() -> None:
    assert "(1 to 4) cannot be proven" in protection_statement(Method(name="controlled-rounding", base=5))
    assert "proven" not in protection_statement(Method(name="controlled-rounding", base=3))
    assert "proven" not in protection_statement(Method(name="conventional-rounding", base=5))
    for name in ("controlled-rounding", "conventional-rounding", "exact"):
        assert "cannot be known" not in protection_statement(Method(name=name))


def test_a_method_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no words"):
        rounding_statement(Method(name="wishful-rounding"))


def test_equal_labels_are_told_apart() -> None:
    labels = {"benefit": {"esa": "Same", "is": "Same"}}
    grid = sheet_of(build_workbook(report_table(labels=labels), facts()), "LAD").grid
    assert grid is not None
    assert [column.heading for column in grid.columns][2:] == [
        "Same esa (claims)",
        "Same is (claims)",
        "jsa (claims)",
        "Total (claims)",
    ]


def rows_by_part(workbook: Workbook, level: str) -> dict[str, list[str]]:
    return {
        sheet.name: texts_of(sheet.grid.columns[0])
        for sheet in workbook.sheets
        if sheet.grid and sheet.name.startswith(level)
    }


def test_a_long_level_is_split_by_authority_and_says_so() -> None:
    """Ten rows to a sheet: six lines, the header row, three areas."""
    workbook = build_workbook(report_table(), facts(), rows_per_sheet=10)
    assert rows_by_part(workbook, "OA") == {
        "OA_part_1": ["E00000001", "E00000002", "E00000003"],
        "OA_part_2": ["E00000004", "E00000005"],
    }
    lines = lines_of(workbook, "OA_part_2")
    assert lines[0].startswith("Claims by benefit: output areas, part 2 of 2, 31 May 2026 (provisional)")
    assert "It is split by local authority: this part holds E09000002 to E09000002." in lines[2]
    assert max(sheet.rows for sheet in workbook.sheets[3:]) == 10
    assert [sheet.name for sheet in workbook.sheets[3:]] == ["LAD", "MSOA", "OA_part_1", "OA_part_2"]


def test_an_authority_too_long_for_a_sheet_is_split_by_area() -> None:
    workbook = build_workbook(report_table(), facts(), rows_per_sheet=9)
    parts = rows_by_part(workbook, "OA")
    assert [code for part in parts.values() for code in part] == HIERARCHY.codes[0].tolist()
    assert all(len(part) <= 2 for part in parts.values())
    assert "It is split by area: this part holds E00000001 to E00000002." in lines_of(workbook, "OA_part_1")[2]


def test_a_sheet_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="rows_per_sheet"):
        build_workbook(report_table(), facts(), rows_per_sheet=7)


def test_totals_alone_make_one_column() -> None:
    safe = SafeTable(
        hierarchy=HIERARCHY,
        classification=Classification(dimensions=(), categories=()),
        values=tuple(np.ascontiguousarray(values[:, -1:]) for values in safe_table().values),
        method=Method(name="controlled-rounding"),
    )
    grid = sheet_of(build_workbook(report_table(safe, labels={}, dimension_names={}), facts()), "LAD").grid
    assert grid is not None and [column.heading for column in grid.columns][-1] == "Total (claims)"


def test_a_grid_refuses_headings_that_differ_in_case_alone() -> None:
    cells = Texts(texts=pa.array(["a"]))
    columns = tuple(Column(heading=heading, cells=cells, width=12) for heading in ("Name", "name"))
    with pytest.raises(ValueError, match="unique"):
        Grid(name="t", columns=columns)


def test_markers_in_use_come_in_their_fixed_order() -> None:
    assert markers_in_use(safe_table()) == ()
    assert markers_in_use(safe_table(marked=True)) == ("c", "z", "x", "low")
    assert SUPPRESSED == 1


@pytest.mark.parametrize(
    ("hour", "minute", "told"), [(0, 5, "12:05am"), (9, 30, "9:30am"), (12, 0, "12:00pm"), (15, 0, "3:00pm")]
)
def test_time_of_day(hour: int, minute: int, told: str) -> None:
    import datetime as dt

    assert clock_time(dt.datetime(2026, 1, 1, hour, minute)) == told
