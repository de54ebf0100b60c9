"""Files that are broken before a single row is read: one fault each, in words that say how to mend it."""

import codecs
import datetime as dt
import decimal
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import claims, count, filled
from test_faults import refusal

GOOD = claims({}, {"notes": "x,y"}, {}).to_csv(index=False)
HEADER, _, ROWS = GOOD.partition("\n")

# What is written into the file → what is said of it.
REFUSED = {
    "a header whose quotation mark stays open": (GOOD.replace("notes", '"notes', 1), "row 1: the names of the columns"),
    "the same in its first name": (GOOD.replace("person", '"person', 1), "close their quotation marks"),
    "a header of two million signs": ("x" * 2_000_000 + "," + GOOD, "row 1: the names of the columns"),
    "a header of very many names": (",".join(f"name{n}" for n in range(200_000)), "do not end within 1,048,576 bytes"),
    "a header alone": (HEADER, "the extract has no rows"),
    "lines without anything": ("\n\n\n", "row 1: the first line is empty"),
    "a blank line before the header": ("\n" + GOOD, "row 1: the first line is empty"),
    "a mark and nothing else": (codecs.BOM_UTF8, "row 1: the first line is empty"),
    "two marks": (codecs.BOM_UTF8 * 2 + GOOD.encode(), "two byte order marks"),
    "another delimiter": (GOOD.replace(",", ";"), "declare the delimiter that the file has"),
    "a row of ten million signs": (GOOD + f"P9,{'x' * 10_000_000},,,,,,,,\n", "row 5: a row of more than 2,000,000 bytes"),
    "a quotation mark that stays open": (GOOD.replace("canary notes", '"canary notes', 1), "row 2: the row cannot be told"),
    "text behind a quoted field": (GOOD.replace("canary notes", '"canary" notes', 1), "row 2: the row cannot be told apart"),
    "line ends that change": (GOOD.replace("\n", "\r\n", 2), "row 3: the line ends in another way"),
    "line ends that change behind the header": (HEADER + "\r\n" + ROWS, "row 2: the line ends in another way"),
    "a sign for the end of the file": (GOOD + "\x1a", "row 5: 1 fields where the header has 10"),
    "no text": (GOOD.replace("surname", "sur\0name", 1), "encoded in UTF-16, or is no text"),
    "bytes of no encoding": (GOOD.encode().replace(b"canary", b"\xed\xa0\x80", 1), "row 2: bytes that are not utf-8"),
    "no header": (ROWS, "column 'person_reference': the column is missing"),
    "Parquet": (b"PAR1\0\0\0\0" + GOOD.encode(), "is no text"),
}  # fmt: skip


@pytest.mark.parametrize("broken", REFUSED)
def test_a_broken_csv_file_is_refused_in_words(tmp_path: Path, broken: str) -> None:
    content, said = REFUSED[broken]
    (tmp_path / "claims.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert said in refusal(tmp_path / "claims.csv")


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("line", "said"), [(GOOD.index("P1") + 4, "row 3: bytes"), (len(GOOD), "row 4: bytes")])
def test_utf_16_that_is_cut_short_names_the_line(tmp_path: Path, order: str, line: int, said: str) -> None:
    content = ("\ufeff" + GOOD[:line]).encode(order)
    (tmp_path / "claims.csv").write_bytes(content[:-1] if line < len(GOOD) else content[:-3])
    assert said in refusal(tmp_path / "claims.csv", encoding="utf-16")


# What no two programs agree on and yet can be read.
READ = {
    "carriage returns alone": GOOD.replace("\n", "\r"),
    "both": GOOD.replace("\n", "\r\n"),
    "a line end inside quotation marks": GOOD.replace("canary notes", '"canary\r\nnotes"', 1),
    "blank lines between rows": GOOD.replace("\n", "\n\n"),
    "a quotation mark inside a word": GOOD.replace("canary notes", 'canary "no"tes', 1),
    "a nought byte in free text": claims({}, {"notes": "canary notes" * 20 + "\0"}, {}).to_csv(index=False),
    "no line end at the end": GOOD.rstrip("\n"),
}  # fmt: skip


@pytest.mark.parametrize("strange", READ)
def test_a_strange_csv_file_is_read(tmp_path: Path, strange: str) -> None:
    (tmp_path / "claims.csv").write_bytes(READ[strange].encode())
    assert filled(count(tmp_path / "claims.csv", None)) == {"counted": 3}


def test_a_long_field_that_can_be_read_is_no_fault_of_another_row(tmp_path: Path) -> None:
    long = f"P9,{'x' * 200_000},c,1990-06-15,F,AA1 1AA,UC,2026-01-10,,n\n"
    (tmp_path / "claims.csv").write_text(GOOD + long)
    assert filled(count(tmp_path / "claims.csv", None)) == {"counted": 4}
    (tmp_path / "claims.csv").write_text(GOOD + long + "short,row\n")
    assert len(refusal(tmp_path / "claims.csv").splitlines()) == 1


class TestPlaces:
    def test_a_folder_a_link_to_itself_or_to_nothing_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "folder.csv").mkdir()
        (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
        (tmp_path / "lost.csv").symlink_to(tmp_path / "nowhere")
        os.mkfifo(tmp_path / "pipe.csv")
        for name in ("folder.csv", "loop.csv", "lost.csv", "pipe.csv", "**.csv", "[", "a\0b", ""):
            assert "no file of claims is here" in refusal(tmp_path / name)

    def test_a_name_that_no_file_can_have(self, tmp_path: Path) -> None:
        assert "cannot be looked for" in refusal(tmp_path / ("x" * 300))

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
    def test_a_file_or_folder_that_is_closed(self, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir()
        (closed / "claims.csv").write_text(GOOD)
        (closed / "claims.csv").chmod(0)
        assert "cannot be read" in refusal(closed / "claims.csv")
        closed.chmod(0)
        try:
            assert "cannot be looked for" in refusal(closed)
        finally:
            closed.chmod(0o700)

    def test_a_file_that_cannot_be_opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "claims.csv").write_text(GOOD)

        original = Path.open

        def closed(path: Path, *arguments: str, **more: object) -> object:
            if path.name == "claims.csv":
                raise PermissionError(13, "Permission denied")
            return original(path, *arguments, **more)

        monkeypatch.setattr(Path, "open", closed)
        assert "cannot be read (Permission denied)" in refusal(tmp_path / "claims.csv")


def written(path: Path, **columns: pa.Array) -> Path:
    table = pa.Table.from_pandas(claims({}, {}, {}), preserve_index=False)
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, path)
    return path


class TestParquet:
    @pytest.mark.parametrize(
        ("column", "said"),
        [
            (pa.array([decimal.Decimal("1.5")] * 3), "type decimal128;"),
            (pa.array([b"UC"] * 3), "type binary;"),
            (pa.array([["UC"]] * 3), "type list;"),
            (pa.array([{"Canaryson": "UC"}] * 3), "type struct;"),
            (pa.array([True] * 3), "type bool;"),
            (pa.array([1.5] * 3), "type double;"),
        ],
    )
    def test_a_type_is_told_without_what_the_file_says_in_it(self, tmp_path: Path, column: pa.Array, said: str) -> None:
        assert said in refusal(written(tmp_path / "claims.parquet", benefit=column))

    def test_a_file_cut_short_anywhere(self, tmp_path: Path) -> None:
        whole = written(tmp_path / "claims.parquet").read_bytes()
        for length in (0, 3, 4, 8, 100, len(whole) // 2, len(whole) - 8, len(whole) - 1):
            (tmp_path / "claims.parquet").write_bytes(whole[:length])
            assert "write the extract again" in refusal(tmp_path / "claims.parquet")

    def test_columns_that_differ_in_capitals_alone_are_not_taken_for_each_other(self, tmp_path: Path) -> None:
        table = pq.read_table(written(tmp_path / "claims.parquet"))
        for name in ("SURNAME", "Benefit"):
            pq.write_table(table.add_column(0, name, pa.array(["DELETED"] * 3)), tmp_path / "claims.parquet")
            assert "columns differ in capitals alone" in refusal(tmp_path / "claims.parquet")
        other = table.rename_columns([f"{name}_1" if name == "benefit" else name for name in table.column_names])
        for name in ("Benefit", "benefit"):
            other = other.add_column(0, name, pa.array(["canary"] * 3))
        pq.write_table(other, tmp_path / "claims.parquet")
        assert "columns differ in capitals alone" in refusal(
            tmp_path / "claims.parquet", columns={"benefit": "benefit_1"}
        )

    @pytest.mark.parametrize("people", [False, True])
    @pytest.mark.parametrize("day", [-(2**31), -(2**31) + 1, -719_163, 2_932_897, 2**31 - 1])
    def test_days_outside_the_calendar_are_no_dates(self, tmp_path: Path, day: int, people: bool) -> None:
        for name in ("claim_start", "claim_end"):
            days = pa.array([day] * 3, pa.int32()).cast(pa.date32())
            written(tmp_path / "claims.parquet", **{name: days})
            assert filled(count(tmp_path, None, people=people)) == {"faulty": 3}

    @pytest.mark.parametrize("day", [dt.date.min, dt.date.max])
    def test_the_first_and_last_day_of_the_calendar_are_dates(self, tmp_path: Path, day: dt.date) -> None:
        name = "claim_start" if day == dt.date.min else "claim_end"
        written(tmp_path / "claims.parquet", **{name: pa.array([day] * 3)})
        for people in (False, True):
            assert filled(count(tmp_path, None, people=people)) == {"counted": 3}
