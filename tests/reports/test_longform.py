"""The long form: columns, order, empty values, and that what is written can be read back."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tablesamples import HIERARCHY, facts, report_table, safe_table

from common.faults import InputError
from reports.longform import long_columns, write_long
from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN, Classification, Hierarchy, Method, SafeTable, sum_up


def test_small_table_as_csv(tmp_path: Path) -> None:
    hierarchy = Hierarchy(
        levels=("oa", "lad"),
        codes=(np.array(["E00000001", "E00000002"]), np.array(["E09000001"])),
        parents=(np.array([0, 0], np.int32),),
    )
    safe = SafeTable(
        hierarchy=hierarchy,
        classification=Classification(dimensions=("sex",), categories=(("f",), ("m",))),
        values=(np.array([[5, 0, 5], [0, 1000, 1000]]), np.array([[5, 1000, 1005]])),
        markers=(np.array([[0, 4, 0], [1, 0, 0]], np.int8), np.array([[0, 0, 0]], np.int8)),
        method=Method(name="controlled-rounding"),
    )
    write_long(safe, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == (
        "area_level,area,sex,value,marker\n"
        "oa,E00000001,f,5,\n"
        "oa,E00000001,m,,low\n"
        "oa,E00000001,Total,5,\n"
        "oa,E00000002,f,,c\n"
        "oa,E00000002,m,1000,\n"
        "oa,E00000002,Total,1000,\n"
        "lad,E09000001,f,5,\n"
        "lad,E09000001,m,1000,\n"
        "lad,E09000001,Total,1005,\n"
    )


def test_totals_alone_have_no_dimension(tmp_path: Path) -> None:
    values = tuple(np.ascontiguousarray(array[:, -1:]) for array in safe_table().values)
    safe = SafeTable(
        hierarchy=HIERARCHY,
        classification=Classification(dimensions=(), categories=()),
        values=values,
        method=Method(name="exact", base=1),
    )
    write_long(safe, tmp_path / "t.csv")
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[:2] == ["area_level,area,value,marker", "oa,E00000001,1205,"]
    assert len(lines) == 1 + 10


def test_parquet_has_plain_types_and_null_values(tmp_path: Path) -> None:
    write_long(safe_table(marked=True), tmp_path / "t.parquet")
    table = pq.read_table(tmp_path / "t.parquet")
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("area_level", "string"),
        ("area", "string"),
        ("benefit", "string"),
        ("value", "int64"),
        ("marker", "string"),
    ]
    marked = [row for row in table.to_pylist() if row["marker"]]
    assert sorted(row["marker"] for row in marked) == ["c", "c", "low", "x", "z"]
    assert all(row["value"] is None for row in marked)
    assert table["marker"].null_count == 0 and table["value"].null_count == 5


def test_nothing_but_the_listed_columns_is_written(tmp_path: Path) -> None:
    allowed = ("area_level", "area", "benefit", "value", "marker")
    assert long_columns(safe_table()) == allowed
    write_long(safe_table(), tmp_path / "t.csv")
    write_long(safe_table(), tmp_path / "t.parquet")
    assert tuple((tmp_path / "t.csv").read_text().splitlines()[0].split(",")) == allowed
    assert tuple(pq.read_schema(tmp_path / "t.parquet").names) == allowed


@pytest.mark.parametrize("name", ["value", "marker", "area", "area_level"])
def test_a_dimension_cannot_take_another_columns_name(name: str) -> None:
    safe = safe_table()
    clash = SafeTable(
        hierarchy=safe.hierarchy,
        classification=Classification(dimensions=(name,), categories=safe.classification.categories),
        values=safe.values,
        method=safe.method,
    )
    with pytest.raises(ValueError, match="another column"):
        long_columns(clash)


def test_another_ending_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv or \.parquet"):
        write_long(safe_table(), tmp_path / "t.xls")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_same_table_same_bytes(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        write_long(safe_table(marked=True), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_the_samples_hold_together() -> None:
    assert report_table().id == "benefit" and facts().population == "claims"


CODES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4).filter(
    lambda text: text != "Total" and text == text.rstrip("\0")
)


@st.composite
def safe_tables(draw: st.DrawFn) -> SafeTable:
    """Any small table: odd codes, one to two dimensions, markers anywhere, cells without a row."""
    small = sorted(draw(st.sets(CODES, min_size=1, max_size=5)))
    large = sorted(draw(st.sets(CODES, min_size=1, max_size=len(small))))
    parents = [*range(len(large)), *draw(st.lists(st.integers(0, len(large) - 1), min_size=len(small)))][: len(small)]
    dimensions = draw(st.sampled_from([("a",), ("a", "b")]))
    categories = sorted(draw(st.sets(st.tuples(*[CODES for _ in dimensions]), min_size=1, max_size=4)))
    finest = np.array(
        [[draw(st.integers(0, 10**12)) for _ in range(len(categories) + 1)] for _ in small], dtype=np.int64
    )
    hierarchy = Hierarchy(
        levels=("s", "l"), codes=(np.array(small), np.array(large)), parents=(np.array(parents, np.int32),)
    )
    values = sum_up(hierarchy, finest)
    markers = tuple(
        np.array(draw(st.lists(st.integers(0, NOT_PUBLISHED), min_size=v.size, max_size=v.size)), np.int8).reshape(
            v.shape
        )
        for v in values
    )
    return SafeTable(
        hierarchy=hierarchy,
        classification=Classification(dimensions=dimensions, categories=tuple(categories)),
        values=tuple(np.where(marked == SHOWN, v, 0) for v, marked in zip(values, markers, strict=True)),
        markers=markers,
        method=Method(name="exact", base=1),
    )


def expected_rows(safe: SafeTable) -> list[tuple[str, ...]]:
    """The rows by the definition, cell by cell."""
    rows = []
    for level, unit, column in safe.cells():
        marker = int(safe.markers[level][unit, column])
        if marker != NOT_PUBLISHED:
            value = str(safe.values[level][unit, column]) if marker == SHOWN else ""
            area = (safe.hierarchy.levels[level], str(safe.hierarchy.codes[level][unit]))
            rows.append((*area, *safe.classification.columns[column], value, MARKERS[marker]))
    return rows


@settings(deadline=None, max_examples=60)
@given(safe=safe_tables())
def test_both_forms_read_back_as_the_table(safe: SafeTable, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("long")
    write_long(safe, folder / "t.csv")
    write_long(safe, folder / "t.parquet")
    with (folder / "t.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert tuple(header) == long_columns(safe)
    assert [tuple(row) for row in rows] == expected_rows(safe)
    table = pq.read_table(folder / "t.parquet")
    read = [tuple("" if cell is None else str(cell) for cell in row.values()) for row in table.to_pylist()]
    assert read == expected_rows(safe)


def test_many_rows_come_in_order_across_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_long(safe_table(marked=True), tmp_path / "whole.csv")
    monkeypatch.setattr("reports.longform.CSV_ROWS", 5)
    write_long(safe_table(marked=True), tmp_path / "pieces.csv")
    assert (tmp_path / "pieces.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
