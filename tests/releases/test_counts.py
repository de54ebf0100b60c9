"""A table of counts going in: what is read, and every way in which it can be wrong."""

import csv
import io
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from counts_files import AREAS, COUNTS, WHOLE, write
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import InputError
from releases.counts.intable import Counted, CountsSpec, read_counts

LEVELS = ("oa", "lsoa", "lad")


def read(folder: Path, *, by: tuple[str, ...] = ("benefit",), lists: bool = True, complete: bool = False) -> Counted:
    spec = CountsSpec(
        path=folder / "counts.csv",
        nest=LEVELS,
        by=by,
        areas=folder / "areas.csv" if lists else None,
        categories=folder / "categories.csv" if lists and by else None,
        complete=complete,
    )
    return read_counts(spec)


def faults(folder: Path, counts: str | bytes, **options: object) -> list[tuple[str, int | None, str]]:
    """Kind, row and column of each fault found in a table of counts."""
    write(folder)
    data = counts.encode() if isinstance(counts, str) else counts
    (folder / "counts.csv").write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(folder, **options)  # type: ignore[arg-type]
    return [(fault.kind, fault.row, fault.column) for fault in caught.value.faults]


class TestWhatIsRead:
    def test_missing_combinations_are_zeros_and_every_margin_adds_up(self, tmp_path: Path) -> None:
        write(tmp_path)
        table = read(tmp_path).table
        assert table.classification.categories == (("jsa",), ("uc",))
        assert table.counts[0].tolist() == [[7, 3, 10], [0, 1, 1], [12, 0, 12], [0, 0, 0]]
        assert table.counts[1].tolist() == [[7, 4, 11], [12, 0, 12]]
        assert table.counts[2].tolist() == [[19, 4, 23]]

    def test_rows_depend_on_the_lists_and_not_on_who_is_counted(self, tmp_path: Path) -> None:
        write(tmp_path, counts="oa,benefit,count\nE00000003,jsa,2\n")
        table = read(tmp_path).table
        assert [len(codes) for codes in table.hierarchy.codes] == [4, 2, 1]
        assert table.counts[0][:, -1].tolist() == [0, 0, 2, 0]

    def test_totals_alone(self, tmp_path: Path) -> None:
        write(tmp_path, counts="oa,count\nE00000001,2\nE00000003,5\n")
        assert read(tmp_path, by=()).table.counts[0].tolist() == [[2], [0], [5], [0]]

    def test_two_dimensions_are_flattened_in_the_order_asked(self, tmp_path: Path) -> None:
        write(tmp_path, counts="oa,sex,benefit,count\nE00000001,m,uc,4\n")
        table = read(tmp_path, by=("benefit", "sex")).table
        assert table.classification.categories == (("jsa", "f"), ("jsa", "m"), ("uc", "f"), ("uc", "m"))
        assert table.counts[0][0].tolist() == [0, 0, 0, 4, 4]

    def test_complete_counts_name_their_own_tree_and_categories(self, tmp_path: Path) -> None:
        write(tmp_path, counts=WHOLE)
        table = read(tmp_path, lists=False, complete=True).table
        assert table.hierarchy.codes[0].tolist() == ["E00000001", "E00000002", "E00000003"]
        assert table.classification.categories == (("jsa",), ("uc",))

    def test_row_order_byte_order_mark_and_line_ends_make_no_difference(self, tmp_path: Path) -> None:
        write(tmp_path)
        wanted = read(tmp_path).table
        head, *rows = COUNTS.splitlines()
        random.Random(1).shuffle(rows)
        (tmp_path / "counts.csv").write_bytes(("\ufeff" + "\r\n".join([head, *rows])).encode())
        got = read(tmp_path).table
        assert all(np.array_equal(a, b) for a, b in zip(wanted.counts, got.counts, strict=True))

    def test_parquet_gives_what_csv_gives(self, tmp_path: Path) -> None:
        write(tmp_path)
        wanted = read(tmp_path)
        rows = list(csv.DictReader(io.StringIO(COUNTS)))
        columns = {name: [row[name] for row in rows] for name in ("oa", "benefit")}
        counts = pa.array([int(row["count"]) for row in rows], pa.int32())
        coded = pa.array(columns["benefit"]).dictionary_encode()
        pq.write_table(pa.table({"oa": columns["oa"], "benefit": coded, "count": counts}), tmp_path / "counts.csv")
        got = read(tmp_path)
        assert all(np.array_equal(a, b) for a, b in zip(wanted.table.counts, got.table.counts, strict=True))
        assert got.notices == wanted.notices

    def test_parquet_codes_that_are_numbers_are_read_as_digits_and_said(self, tmp_path: Path) -> None:
        write(tmp_path, areas="oa,lsoa,lad\n1,L1,A\n2,L1,A\n")
        table = pa.table({"oa": pa.array([1, 2], pa.int64()), "count": pa.array([3, 4], pa.int64())})
        pq.write_table(table, tmp_path / "counts.csv")
        got = read(tmp_path, by=())
        assert got.table.counts[0].tolist() == [[3], [4]]
        assert any("column 'oa' holds whole numbers" in notice for notice in got.notices)

    def test_columns_that_no_option_names_are_ignored_and_said(self, tmp_path: Path) -> None:
        write(tmp_path, counts="oa,benefit,note,ckey,count\nE00000001,uc,checked,17,3\n")
        notices = read(tmp_path).notices
        assert any("ignored: 'note'" in notice for notice in notices)
        assert any("'ckey' was ignored" in notice for notice in notices)

    def test_a_category_that_looks_like_a_number_is_text(self, tmp_path: Path) -> None:
        write(tmp_path, counts=WHOLE.replace(",jsa,", ",01,"))
        table = read(tmp_path, lists=False, complete=True).table
        assert table.classification.categories == (("01",), ("uc",))


class TestLists:
    def test_without_lists_and_without_complete(self, tmp_path: Path) -> None:
        write(tmp_path, counts=WHOLE)
        with pytest.raises(InputError) as caught:
            read(tmp_path, lists=False)
        assert {fault.key for fault in caught.value.faults} == {"--areas", "--categories"}
        assert all("--complete" in fault.mend for fault in caught.value.faults)

    def test_a_dimension_that_the_list_does_not_have(self, tmp_path: Path) -> None:
        write(tmp_path, categories="dimension,category\nsex,f\n")
        with pytest.raises(InputError, match="lists no category of 'benefit'"):
            read(tmp_path)

    @pytest.mark.parametrize(
        ("row", "kind"),
        [
            ("benefit,Total", "margin"),
            ("benefit,", "blank category"),
            (",uc", "blank category"),
            ("sex,f", "repeated row"),
        ],
    )
    def test_a_wrong_row_in_the_list(self, tmp_path: Path, row: str, kind: str) -> None:
        paths = write(tmp_path)
        paths["categories"].write_text(paths["categories"].read_text() + row + "\n")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert [(fault.kind, fault.row) for fault in caught.value.faults] == [(kind, 6)]

    @pytest.mark.parametrize(
        ("areas", "kind"),
        [
            (AREAS + "E00000004,E01000001,E08000001\n", "two parents"),
            (AREAS.replace("E01000002", "E00000001"), "overlapping levels"),
            (AREAS + "E00000005,,E08000001\n", "blank code"),
            (AREAS + "Total,E01000009,E08000001\n", "margin"),
            ("oa,lad\nE00000001,E08000001\n", "missing column"),
            ("", "empty file"),
        ],
    )
    def test_a_wrong_tree(self, tmp_path: Path, areas: str, kind: str) -> None:
        write(tmp_path, areas=areas)
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert kind in {fault.kind for fault in caught.value.faults}

    def test_faults_of_lists_and_counts_are_told_at_once(self, tmp_path: Path) -> None:
        write(tmp_path, areas="oa,lad\n", categories="dimension,category\nsex,\n", counts="oa,benefit,count\n,uc,-1\n")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert {Path(fault.file).name for fault in caught.value.faults} == {"areas.csv", "categories.csv", "counts.csv"}


HEAD = "oa,benefit,count\n"


class TestBadInput:
    def test_a_missing_file(self, tmp_path: Path) -> None:
        write(tmp_path)["counts"].unlink()
        with pytest.raises(InputError, match="does not exist"):
            read(tmp_path)

    @pytest.mark.parametrize("text", ["", "\n\n", HEAD])
    def test_an_empty_file(self, tmp_path: Path, text: str) -> None:
        assert faults(tmp_path, text)[0][0] in ("empty file", "no rows")

    @pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
    def test_a_wrong_encoding(self, tmp_path: Path, encoding: str) -> None:
        data = (HEAD + "E00000001,café,3\n").encode(encoding)
        assert faults(tmp_path, data)[0][0] == "wrong encoding"

    def test_a_missing_column(self, tmp_path: Path) -> None:
        assert faults(tmp_path, "oa,benefit,number\nE00000001,uc,3\n") == [("missing column", None, "count")]

    def test_no_header_and_no_count_in_the_message(self, tmp_path: Path) -> None:
        write(tmp_path, counts="E00000001,uc,3\nE00000002,uc,4\n")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert "'3'" not in str(caught.value)

    @pytest.mark.parametrize(
        ("count", "kind"),
        [
            ("-1", "negative count"),
            ("-2.0", "negative count"),
            ("2.5", "fractional count"),
            ("3.0", "fractional count"),
            ("1e3", "no number"),
            ("", "blank count"),
            ("  ", "blank count"),
            (" 3", "no number"),
            ("three", "no number"),
            ("1 000", "no number"),
            ('"1,000"', "no number"),
            ("9007199254740993", "huge count"),
            ("9" * 30, "huge count"),
            ("137438953473", "huge count"),
            ("nan", "no number"),
            ("٣", "no number"),
        ],
    )
    def test_a_wrong_count(self, tmp_path: Path, count: str, kind: str) -> None:
        text = HEAD + f"E00000001,jsa,3\nE00000001,uc,{count}\n"
        assert faults(tmp_path, text) == [(kind, 3, "count")]

    def test_leading_zeros_are_no_fault(self, tmp_path: Path) -> None:
        write(tmp_path, counts=HEAD + "E00000001,uc,0000000000000003\n")
        assert read(tmp_path).table.counts[2][0, -1] == 3

    def test_counts_that_are_huge_together(self, tmp_path: Path) -> None:
        text = HEAD + "E00000001,uc,99999999999\nE00000002,uc,99999999999\n"
        assert faults(tmp_path, text) == [("huge count", None, "")]

    @pytest.mark.parametrize("kind", [pa.float64(), pa.bool_(), pa.date32()])
    def test_parquet_counts_that_are_no_whole_numbers(self, tmp_path: Path, kind: pa.DataType) -> None:
        write(tmp_path)
        table = pa.table({"oa": ["E00000001"], "benefit": ["uc"], "count": pa.nulls(1, kind)})
        pq.write_table(table, tmp_path / "counts.csv")
        with pytest.raises(InputError, match="not whole numbers"):
            read(tmp_path)

    def test_parquet_nulls_are_blanks(self, tmp_path: Path) -> None:
        write(tmp_path)
        columns = {"oa": pa.array(["E00000001"]), "benefit": pa.nulls(1, pa.string()), "count": pa.nulls(1, pa.int64())}
        pq.write_table(pa.table(columns), tmp_path / "counts.csv")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert [(f.kind, f.row) for f in caught.value.faults] == [("blank count", 1), ("blank category", 1)]

    def test_a_broken_parquet_file(self, tmp_path: Path) -> None:
        assert faults(tmp_path, b"PAR1 and nothing of the kind")[0][0] == "broken Parquet"

    def test_rows_that_repeat_name_both_rows(self, tmp_path: Path) -> None:
        write(tmp_path, counts=HEAD + "E00000001,uc,3\nE00000002,uc,3\nE00000001,uc,4\nE00000001,uc,3\n")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert [(fault.row, fault.found) for fault in caught.value.faults] == [
            (4, "the same combination as row 2"),
            (5, "the same combination as row 2"),
        ]

    def test_rows_that_repeat_but_for_a_column_that_no_option_names(self, tmp_path: Path) -> None:
        text = "oa,benefit,sex,count\nE00000001,uc,f,3\nE00000001,uc,m,4\n"
        write(tmp_path, counts=text)
        with pytest.raises(InputError, match="'sex' tell the rows apart, name them in --by"):
            read(tmp_path)

    @pytest.mark.parametrize("category", ["Total", " Total ", "", " "])
    def test_a_margin_or_blank_as_category(self, tmp_path: Path, category: str) -> None:
        kind = "margin" if category.strip() else "blank category"
        assert faults(tmp_path, HEAD + f"E00000001,{category},3\n") == [(kind, 2, "benefit")]

    def test_total_as_an_area_of_complete_counts(self, tmp_path: Path) -> None:
        text = WHOLE + "Total,E01000003,E08000001,uc,3\n"
        assert ("margin", 6, "oa") in faults(tmp_path, text, lists=False, complete=True)

    def test_areas_and_categories_that_are_in_no_list(self, tmp_path: Path) -> None:
        text = HEAD + "E00000009,uc,1\nE00000009,jsa,2\nE00000001,esa,4\n,uc,1\n"
        assert faults(tmp_path, text) == [
            ("not in the list", 4, "benefit"),
            ("blank code", 5, "oa"),
            ("not in the list", 2, "oa"),
        ]

    def test_a_count_in_a_column_of_codes_is_not_repeated(self, tmp_path: Path) -> None:
        write(tmp_path, counts="count,benefit,oa\nE00000001,uc,3\nE00000002,uc,4\n")
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        text = str(caught.value)
        assert "not shown" in text and "'3'" not in text and "'4'" not in text

    def test_rows_that_disagree_with_the_list_of_areas(self, tmp_path: Path) -> None:
        text = WHOLE.replace("E00000003,E01000002", "E00000003,E01000001")
        assert faults(tmp_path, text) == [("disagreement", 5, "lsoa")]

    def test_an_area_with_two_parents_in_complete_counts(self, tmp_path: Path) -> None:
        text = WHOLE + "E00000001,E01000002,E08000001,sex,1\n"
        assert ("two parents", 6, "oa") in faults(tmp_path, text, lists=False, complete=True)

    def test_ragged_rows(self, tmp_path: Path) -> None:
        assert faults(tmp_path, HEAD + "E00000001,uc,3,4\n") == [("ragged row", 2, "")]

    def test_one_column_for_two_uses(self, tmp_path: Path) -> None:
        write(tmp_path)
        with pytest.raises(InputError, match=r"'oa' is named 2 times \(--nest, --by\)"):
            read(tmp_path, by=("oa",))

    @pytest.mark.parametrize("name", ["area", "area_level", "value", "marker"])
    def test_a_dimension_called_as_a_column_of_the_safe_table(self, tmp_path: Path, name: str) -> None:
        write(tmp_path)
        with pytest.raises(InputError, match="a column of every safe table"):
            read(tmp_path, by=(name,))

    def test_more_cells_than_can_be_held(self, tmp_path: Path) -> None:
        many = "".join(f"{name},c{code}\n" for name in "abc" for code in range(400))
        write(tmp_path, categories="dimension,category\n" + many, counts="oa,a,b,c,count\nE00000001,c1,c2,c3,1\n")
        with pytest.raises(InputError, match="more cells than can be held"):
            read(tmp_path, by=("a", "b", "c"))

    def test_every_fault_is_told(self, tmp_path: Path) -> None:
        text = HEAD + "".join(f"E00000001,uc,-{row}\n" for row in range(1, 31))
        told = faults(tmp_path, text)
        assert len([one for one in told if one[0] == "negative count"]) == 30


@settings(max_examples=150, deadline=None)
@given(data=st.data(), complete=st.booleans())
def test_corrupted_files_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, complete: bool
) -> None:
    """Whatever bytes are put, moved or lost: an InputError or a table, and never another error."""
    folder = tmp_path_factory.mktemp("fuzz")
    write(folder)
    name = data.draw(st.sampled_from(["counts", "areas", "categories"]))
    text = {"counts": WHOLE}.get(name, (folder / f"{name}.csv").read_text()).encode()
    pieces = st.one_of(
        st.sampled_from([b",", b'"', b"\n", b"\r", b"\0", b"\xff", b"Total", b"-", b"9" * 40, b"\xef\xbb\xbf", b" "]),
        st.binary(max_size=3),
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 6))
        text = text[:at] + data.draw(pieces) + text[at + cut :]
    (folder / f"{name}.csv").write_bytes(text)
    if name != "counts":
        (folder / "counts.csv").write_text(WHOLE)
    try:
        counted = read(folder, lists=not complete, complete=complete)
    except InputError as error:
        assert error.faults
    else:
        assert counted.table.counts[-1][:, -1].sum() >= 0
