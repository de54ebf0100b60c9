"""Files of records without those that go: what stays keeps its bytes, and an anonymised copy nothing of its records."""

import datetime as dt
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_retention import BENEFIT, RESEARCH

from claimants.keptfiles import FileForm, anonymise_file, header_of, look_at, rewrite_file
from claimants.retention import Fate
from common.faults import InputError

DAY = dt.date(2025, 3, 15)
CSV = FileForm(name="claims.csv", form="csv", hold="hold")
PARQUET = FileForm(name="claims.parquet", form="parquet", hold="hold")
RECORDS = (
    b"person_reference,claim_end,hold,address\r\n"
    b'P1,2024-01-15,,"Canary Street 1,\nFlat 2"\r\n'  # due
    b'P2,2024-01-16,N,"says ""no"""\r\n'  # a day too early
    b"P3,2020-01-01,Y,x\r\n"  # held
    b" P4 ,,,x\r\n"  # live
    b"P5,soon,,x\r\n"  # no date
    b"P6,2020-02-29,0,x"  # due, and no end of line
)


def rewritten(content: bytes, form: FileForm = CSV, persons: frozenset[str] = frozenset()) -> bytes:
    out = io.BytesIO()
    rewrite_file(io.BytesIO(content), out, form, BENEFIT, DAY, persons)
    return out.getvalue()


def test_every_record_has_its_fate() -> None:
    looked = look_at(io.BytesIO(RECORDS), CSV, BENEFIT, DAY, frozenset({"P1", "P2", "P4", "P9"}))
    assert looked.fates == {
        Fate.REMOVED: 1,
        Fate.PARKED_AUDIT: 1,
        Fate.HELD: 1,
        Fate.PARKED_LIVE: 1,
        Fate.UNREADABLE: 1,
        Fate.DUE: 1,
    }
    assert {who: set(fates) for who, fates in looked.requests.items()} == {
        "P1": {Fate.REMOVED},
        "P2": {Fate.PARKED_AUDIT},
        "P4": {Fate.PARKED_LIVE},
    }
    assert looked.unreadable == (7,)  # line of the file: one record took two lines


def test_what_stays_keeps_its_bytes() -> None:
    kept = rewritten(RECORDS)
    lines = RECORDS.splitlines(keepends=True)
    assert kept == b"".join([lines[0], *lines[3:7]])
    assert rewritten(kept) == kept


def test_requests_take_more_out() -> None:
    kept = rewritten(RECORDS, persons=frozenset({"P3", "P4", "P5", "P6"}))
    assert [line.split(b",")[0] for line in kept.splitlines()[1:]] == [b"P2", b"P3", b" P4 ", b"P5"]


def test_a_file_of_which_nothing_stays_keeps_its_header() -> None:
    content = b"\xef\xbb\xbfperson_reference,claim_end,hold\nP1,2020-01-01,\n"
    assert rewritten(content) == b"\xef\xbb\xbfperson_reference,claim_end,hold\n"


def test_other_names_dates_and_separators() -> None:
    form = FileForm(name="c", form="csv", columns={"claim_end": "Ende"}, dates="day-first", delimiter=";")
    content = b"Ende;note\n15/01/2024;a\n16/01/2024;b\n2024-01-01;c\n1/1/2024;d\n"
    assert rewritten(content, form) == b"Ende;note\n16/01/2024;b\n2024-01-01;c\n1/1/2024;d\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"person_reference,claim_end,hold\nP1,2020-01-01\n", "row 2: 2 fields where the header has 3"),
        (b"person_reference,claim_end,hold\nP1,\xff,\n", "row 2: bytes that are not UTF-8"),
        (b'person_reference,claim_end,hold\nP1,2020-01-01,"\n', "row 2: the row cannot be told apart"),
        (b"", "is empty"),
        (b"claim_end,claim_end,hold\n2020-01-01,2020-01-01,\n", "column 'claim_end': the column stands there twice"),
    ],
)
def test_nothing_is_deleted_from_a_file_that_cannot_be_read(content: bytes, found: str) -> None:
    with pytest.raises(InputError) as error:
        rewritten(content)
    assert found in str(error.value) and "P1" not in str(error.value) and "2020" not in str(error.value)


def parquet(frame: pd.DataFrame, path: Path) -> bytes:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=2)
    return path.read_bytes()


def test_parquet_keeps_its_schema_and_what_stays(tmp_path: Path) -> None:
    ends = ["2024-01-15", "2024-01-16", None, "2020-01-01", "2025-06-01"]
    frame = pd.DataFrame(
        {
            "person_reference": range(1, 6),
            "claim_end": [None if end is None else dt.date.fromisoformat(end) for end in ends],
            "hold": [None, "", "no", "hold", "N"],
            "benefit": pd.Categorical(["UC", "PIP", "UC", "UC", "CA"]),
            "when": pd.date_range("2024-01-01", periods=5, unit="us"),
        }
    )
    content = parquet(frame, tmp_path / "claims.parquet")
    looked = look_at(io.BytesIO(content), PARQUET, BENEFIT, DAY, frozenset({"3"}))
    assert looked.fates == {Fate.DUE: 1, Fate.KEPT: 2, Fate.PARKED_LIVE: 1, Fate.HELD: 1}
    (tmp_path / "out.parquet").write_bytes(rewritten(content, PARQUET))
    before, after = (pq.read_table(tmp_path / name) for name in ("claims.parquet", "out.parquet"))
    assert after.schema.equals(before.schema)
    assert after.column("person_reference").to_pylist() == [2, 3, 4, 5]
    assert after.equals(before.slice(1))


def test_parquet_of_which_nothing_stays(tmp_path: Path) -> None:
    frame = pd.DataFrame({"claim_end": ["2020-01-01"] * 3, "hold": ["", "", ""]})
    (tmp_path / "out.parquet").write_bytes(rewritten(parquet(frame, tmp_path / "in.parquet"), PARQUET))
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0


def test_a_damaged_parquet_file_is_a_fault() -> None:
    with pytest.raises(InputError, match="damaged or no Parquet"):
        look_at(io.BytesIO(b"PAR1 nonsense"), PARQUET, BENEFIT, DAY)


def copies(number: int) -> bytes:
    """A research copy: `number` people alike but for what names them, and one who stands alone."""
    rows = ["person_reference,surname,benefit,birth_date,claim_start,postcode,mystery"]
    rows += [f"P{n},Canary{n},UC,1990-0{n % 9 + 1}-1{n % 9},2024-05-{n % 9 + 10},AA1 {n}AA,m{n}" for n in range(number)]
    rows.append("P999,Canaryson,PIP,1931-01-01,2024-05-10,AA1 1AA,m")
    return ("\n".join(rows) + "\n").encode()


@pytest.mark.parametrize(("number", "left"), [(10, 10), (9, 0)])
def test_an_anonymised_copy_has_what_enough_people_share_and_no_other_column(number: int, left: int) -> None:
    out = io.BytesIO()
    form = FileForm(name="copy.csv", form="csv")
    assert anonymise_file(io.BytesIO(copies(number)), out, form, RESEARCH, DAY)
    lines = out.getvalue().decode().splitlines()
    assert lines[0] == "benefit,birth_date,claim_start"
    assert lines[1:] == ["UC,1990,2024-05"] * left


def test_an_anonymised_copy_stays_as_it_is_when_it_is_anonymised_again() -> None:
    form, one, two = FileForm(name="copy.csv", form="csv"), io.BytesIO(), io.BytesIO()
    anonymise_file(io.BytesIO(copies(12)), one, form, RESEARCH, DAY)
    assert not anonymise_file(io.BytesIO(one.getvalue()), two, form, RESEARCH, DAY)
    assert two.getvalue() == one.getvalue()


@pytest.mark.parametrize(
    "end", ["20200101", "2020-W01-1", "2020-1-1", "2020-02-30", "2020-01-01T00", "01/01/2020", "\u0662020-01-01"]
)
def test_dates_are_not_guessed(end: str) -> None:
    content = f"claim_end\n{end}\n".encode()
    looked = look_at(io.BytesIO(content), FileForm(name="c", form="csv"), BENEFIT, DAY)
    assert looked.fates == {Fate.UNREADABLE: 1}


def test_an_anonymised_copy_does_not_tell_the_order_of_records() -> None:
    form = FileForm(name="copy.csv", form="csv")
    head, *rows = copies(40).splitlines(keepends=True)
    one, other = io.BytesIO(), io.BytesIO()
    anonymise_file(io.BytesIO(head + b"".join(rows)), one, form, RESEARCH, DAY)
    anonymise_file(io.BytesIO(head + b"".join(reversed(rows))), other, form, RESEARCH, DAY)
    assert one.getvalue() == other.getvalue()


def test_an_anonymised_parquet_copy(tmp_path: Path) -> None:
    frame = pd.read_csv(io.BytesIO(copies(12)), dtype=str)
    frame["birth_date"] = pd.to_datetime(frame["birth_date"]).dt.date
    content = parquet(frame, tmp_path / "copy.parquet")
    form = FileForm(name="copy.parquet", form="parquet")
    with (tmp_path / "out.parquet").open("wb") as out:
        anonymise_file(io.BytesIO(content), out, form, RESEARCH, DAY, frozenset({"P3"}))
    left = pq.read_table(tmp_path / "out.parquet").to_pandas()
    assert len(left) == 11 and set(map(tuple, left.to_numpy())) == {("UC", "1990", "2024-05")}


def test_header_of_a_file() -> None:
    assert header_of(io.BytesIO(RECORDS), CSV) == ("person_reference", "claim_end", "hold", "address")
