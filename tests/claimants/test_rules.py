"""One rule, one small table: which bucket a claim goes to, and which row stands for it."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from claimhelpers import AREAS, DAY, cells, claims, count, filled

from claimants.caseload import CaseloadSpec
from claimants.dimensions import dimension
from claimants.states import BUCKETS


@pytest.mark.parametrize(
    ("start", "end", "rule", "bucket"),
    [
        ("2026-05-31", "", "inclusive", "counted"),
        ("2026-06-01", "", "inclusive", "not live on the date"),
        ("2026-01-01", "2026-05-31", "inclusive", "counted"),
        ("2026-01-01", "2026-05-31", "exclusive", "not live on the date"),
        ("2026-01-01", "2026-05-30", "inclusive", "not live on the date"),
        ("2026-01-01", "2026-06-01", "exclusive", "counted"),
        ("2026-05-31", "2026-05-31", "inclusive", "counted"),
        ("2026-05-31", "2026-05-31", "exclusive", "not live on the date"),
        ("2026-02-30", "", "inclusive", "faulty"),
        ("", "", "inclusive", "faulty"),
        ("2026-05-02", "2026-05-01", "inclusive", "faulty"),
        ("2026-05-02", "soon", "inclusive", "faulty"),
        ("26-05-02", "", "inclusive", "faulty"),
        (" 2026-05-02 ", " ", "inclusive", "counted"),
    ],
)
def test_live_on_the_date(tmp_path: Path, start: str, end: str, rule: str, bucket: str) -> None:
    found = count(tmp_path, claims({"claim_start": start, "claim_end": end}), end=rule)
    assert filled(found) == {bucket: 1}


@pytest.mark.parametrize(
    ("change", "bucket"),
    [
        ({"surname": "DELETED", "forename": "DELETED", "birth_date": "01/01/1901"}, "erased"),
        ({"surname": " deleted"}, "erased"),
        ({"forename": "DELETED"}, "erased"),
        ({"birth_date": "01/01/1901"}, "erased"),
        ({"birth_date": "1901-01-01"}, "erased"),
        ({"surname": "DELETED", "claim_start": "never"}, "erased"),  # erased goes before faulty
        ({"person_reference": " "}, "faulty"),
        ({"postcode": ""}, "no area"),
        ({"postcode": "ZZ1 1ZZ"}, "no area"),
        ({"postcode": " aa1  1aA"}, "counted"),
        ({"benefit": ""}, "unknown code"),
        ({"benefit": "XYZ"}, "unknown code"),
        ({"benefit": " universal Credit "}, "counted"),
        ({"sex": "X"}, "unknown code"),
        ({"sex": ""}, "counted"),  # not stated is an answer
        ({"birth_date": ""}, "unknown code"),
        ({"birth_date": "2010-06-01"}, "unknown code"),  # 15 on the day
        ({"birth_date": "2026-06-01"}, "faulty"),
        ({"birth_date": "1990-02-30"}, "faulty"),
        ({"benefit": "XYZ", "postcode": ""}, "unknown code"),  # unknown code goes before no area
    ],
)
def test_bucket_of_a_row(tmp_path: Path, change: dict[str, str], bucket: str) -> None:
    assert filled(count(tmp_path, claims(change), by=("sex", "age_band"))) == {bucket: 1}


def test_what_a_table_does_not_use_cannot_take_a_claim_out_of_it(tmp_path: Path) -> None:
    frame = claims({"sex": "X", "birth_date": "1990-02-30"})
    assert filled(count(tmp_path, frame, by=("benefit",))) == {"counted": 1}


def test_buckets_stand_in_fixed_order_and_sum_to_the_rows(tmp_path: Path) -> None:
    found = count(tmp_path, claims({}, {"postcode": ""}, {"claim_end": "2026-02-01"}))
    assert tuple(found.buckets) == BUCKETS
    assert sum(found.buckets.values()) == found.rows_read == 3


def test_cells_have_their_types_and_order(tmp_path: Path) -> None:
    frame = claims({"postcode": "CC3 3CC"}, {"sex": "M"}, {}, {})
    found = count(tmp_path, frame, by=("sex", "benefit"))
    assert found.cells.schema == pa.schema(
        [("area", pa.int32()), ("sex", pa.int16()), ("benefit", pa.int16()), ("count", pa.int64())]
    )
    assert list(cells(found).items()) == [((0, 0, 5), 2), ((0, 1, 5), 1), ((2, 0, 5), 1)]


def test_a_duplicate_is_the_same_person_benefit_and_start(tmp_path: Path) -> None:
    same = {"person_reference": "A"}
    frame = claims(same, same, same | {"benefit": "PIP"}, same | {"claim_start": "2026-02-01"}, {})
    assert filled(count(tmp_path, frame)) == {"counted": 4, "duplicate": 1}


def test_of_copies_that_disagree_the_smallest_area_counts_and_a_notice_says_so(tmp_path: Path) -> None:
    same = {"person_reference": "A"}
    frame = claims(same | {"postcode": "CC3 3CC"}, same | {"postcode": "BB2 2BB"})
    for order in (frame, frame.iloc[::-1]):
        found = count(tmp_path, order)
        assert cells(found) == {(1,): 1}
        assert any("their copies differ" in notice for notice in found.notices)


def test_a_copy_that_cannot_be_counted_is_no_duplicate(tmp_path: Path) -> None:
    same = {"person_reference": "A"}
    assert filled(count(tmp_path, claims(same, same | {"postcode": ""}))) == {"counted": 1, "no area": 1}


def test_a_person_with_two_benefits_is_two_claims_and_one_person(tmp_path: Path) -> None:
    frame = claims({"person_reference": "A"}, {"person_reference": "A", "benefit": "PIP"}, {})
    assert filled(count(tmp_path, frame)) == {"counted": 3}
    assert filled(count(tmp_path, frame, people=True)) == {"counted": 2, "another claim of a person counted": 1}


def test_the_claim_that_started_last_stands_for_the_person(tmp_path: Path) -> None:
    same = {"person_reference": "A"}
    frame = claims(same | {"claim_start": "2024-01-01"}, same | {"claim_start": "2026-01-01", "postcode": "CC3 3CC"})
    assert cells(count(tmp_path, frame, people=True)) == {(2,): 1}
    assert cells(count(tmp_path, frame.iloc[::-1], people=True)) == {(2,): 1}


def test_client_group_is_the_first_that_any_live_claim_leads_to(tmp_path: Path) -> None:
    same = {"person_reference": "A"}
    frame = claims(
        same | {"benefit": "PIP", "claim_start": "2026-03-01"},
        same | {"benefit": "CA", "claim_start": "2020-01-01"},
        same | {"benefit": "JSA", "claim_end": "2026-02-01"},  # over, has no say
        {"person_reference": "B", "benefit": "UC"},
        {"person_reference": "B", "benefit": "JSA", "postcode": ""},  # live, has a say though it has no area
    )
    found = count(tmp_path, frame, people=True, by=("client_group",))
    groups = dimension("client_group").categories
    assert cells(found) == {(0, groups.index("JOB_SEEKER")): 1, (0, groups.index("CARER")): 1}


def test_the_groups_add_up_to_the_people(tmp_path: Path) -> None:
    frame = claims(*({"person_reference": f"P{n % 5}", "benefit": b} for n, b in enumerate(["UC", "PIP", "CA"] * 6)))
    found = count(tmp_path, frame, people=True, by=("client_group",))
    assert sum(cells(found).values()) == found.buckets["counted"] == 5


def test_duration_bands_at_their_edges(tmp_path: Path) -> None:
    frame = claims(*({"claim_start": start} for start in ("2026-03-01", "2026-02-28", "2025-05-31", "2025-06-01")))
    assert cells(count(tmp_path, frame, by=("duration_band",))) == {(0, 0): 1, (0, 1): 1, (0, 2): 1, (0, 3): 1}


def test_day_first_dates(tmp_path: Path) -> None:
    frame = claims({"claim_start": "31/05/2026"}, {"claim_start": "2026-05-31"}, {"claim_start": "31/02/2026"})
    assert filled(count(tmp_path, frame, dates="day-first")) == {"counted": 1, "faulty": 2}


def test_columns_and_values_of_the_file_are_mapped(tmp_path: Path) -> None:
    frame = claims({"benefit": "Type 7"}).rename(columns={"benefit": "Benefit type", "postcode": "PCODE"})
    found = count(
        tmp_path,
        frame,
        by=("benefit",),
        columns={"benefit": "Benefit type", "postcode": "PCODE"},
        values={"benefit": {"type 7": "ESA"}},
    )
    assert cells(found) == {(0, 1): 1}


def test_output_areas_instead_of_postcodes(tmp_path: Path) -> None:
    frame = claims({"output_area": AREAS[1]}, {"output_area": " e00000003 "}, {"output_area": ""})
    found = count(tmp_path, frame.drop(columns="postcode"), postcodes=None)
    assert cells(found) == {(1,): 1, (2,): 1}
    assert found.buckets["no area"] == 1


def test_parquet_with_dates_whole_numbers_and_categories(tmp_path: Path) -> None:
    frame = claims({}, {}, {"surname": "DELETED", "birth_date": "1901-01-01"})
    for name in ("birth_date", "claim_start", "claim_end"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]" if name == "claim_end" else object)
        if name != "claim_end":
            frame[name] = [value.date() for value in frame[name]]
    frame["person_reference"] = [1, 1, 2]
    frame["benefit"] = frame["benefit"].astype("category")
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "claims.parquet")
    found = count(tmp_path / "claims.parquet", None, by=("age_band", "sex", "benefit"))
    assert filled(found) == {"counted": 1, "duplicate": 1, "erased": 1}


def test_files_of_different_layout_are_read_together(tmp_path: Path) -> None:
    frame = claims({}, {}, {"person_reference": "P0"})
    frame.iloc[:1].to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[1:][frame.columns[::-1]].drop(columns="surname").to_csv(tmp_path / "[b].csv", index=False)
    found = count(tmp_path, None)
    assert filled(found) == {"counted": 2, "duplicate": 1}
    assert any("surname" in notice for notice in found.notices)


def test_erasure_without_names_and_birth_date_needs_all_other_signs(tmp_path: Path) -> None:
    frame = claims({}, {}).drop(columns=["surname", "forename", "birth_date"])
    frame["status"], frame["employment_status"] = (["Inactive", "Inactive"], ["Not known", "Working"])
    assert filled(count(tmp_path, frame)) == {"counted": 1, "erased": 1}
    found = count(tmp_path, frame.drop(columns="status"))
    assert filled(found) == {"counted": 2}
    assert any("cannot be told" in notice for notice in found.notices)


def test_threads_do_not_matter(tmp_path: Path) -> None:
    frame = claims(*({"person_reference": f"P{n % 700}", "sex": "FM"[n % 2]} for n in range(3000)))
    one, two = (count(tmp_path, frame, by=("sex",), threads=threads) for threads in (1, 2))
    assert one.cells.equals(two.cells)
    assert one.buckets == two.buckets


@pytest.mark.parametrize(
    "wrong", [{"count": "heads"}, {"dimensions": (dimension("sex"),) * 2}, {"dimensions": (dimension("client_group"),)}]
)
def test_specs_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        CaseloadSpec(reference_date=DAY, **wrong)


def test_reference_date_in_a_leap_year(tmp_path: Path) -> None:
    frame = claims({"claim_start": "2024-02-29", "birth_date": "2008-02-29"})
    found = count(tmp_path, frame, by=("age_band", "duration_band"), day=dt.date(2024, 2, 29))
    assert cells(found) == {(0, 0, 0): 1}
