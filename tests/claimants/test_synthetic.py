"""Made-up extracts: the buckets and counts they promise are the ones that counting finds."""

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pytest
from handwritten import statement

from claimants.caseload import CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from claimants.matching import match_counts, read_counts
from claimants.synthetic import SyntheticSpec, Trouble, make_records
from common.faults import InputError
from geography.postcodes import Postcodes

DAY = dt.date(2026, 5, 31)
AREAS = np.array([f"E00{number:06d}" for number in range(1, 61)])
BARE = np.array(
    sorted(f"AA{district}{sector}{a}{b}" for district in "1234" for sector in "56" for a in "AB" for b in "DEFGH")
)
POSTCODES = Postcodes(postcodes=BARE, area=(np.arange(len(BARE)) % 50).astype(np.int32))
BY = tuple(dimension(name) for name in ("benefit", "age_band", "sex", "duration_band"))


def counted(
    folder: Path, by: tuple = BY, postcodes: Postcodes | None = POSTCODES, people: bool = False, end: str = "inclusive"
):
    spec = CaseloadSpec(reference_date=DAY, count="people" if people else "claims", dimensions=by)
    return count_caseload(
        ExtractSpec(paths=(folder,), end=end), area_codes=AREAS, postcodes=postcodes, spec=spec, threads=1
    )


def by_area(caseload) -> np.ndarray:
    counts = np.zeros(len(AREAS), np.int64)
    np.add.at(counts, caseload.cells["area"].to_numpy(), caseload.cells["count"].to_numpy())
    return counts


@pytest.mark.parametrize(("form", "files"), [("csv", 1), ("csv", 3), ("parquet", 2)])
@pytest.mark.parametrize("end", ["inclusive", "exclusive"])
def test_every_row_goes_where_it_was_made_to_go(tmp_path: Path, form: str, files: int, end: str) -> None:
    spec = SyntheticSpec(reference_date=DAY, size=5000, format=form, files=files)
    made = make_records(spec, folder=tmp_path, area_codes=AREAS, postcodes=POSTCODES)
    assert len(made.paths) == files
    found = counted(tmp_path, end=end)
    assert dict(found.buckets) == dict(made.buckets)
    assert min(made.buckets.values()) > 0
    assert found.rows_read == made.rows == 5000
    np.testing.assert_array_equal(by_area(found), made.counts)
    assert made.counts[50:].sum() == 0  # no postcode, so nobody there


def test_output_areas_instead_of_postcodes(tmp_path: Path) -> None:
    made = make_records(SyntheticSpec(reference_date=DAY, size=2000), folder=tmp_path, area_codes=AREAS, postcodes=None)
    found = counted(tmp_path, postcodes=None)
    np.testing.assert_array_equal(by_area(found), made.counts)
    assert dict(found.buckets) == dict(made.buckets)


def test_some_people_have_several_benefits(tmp_path: Path) -> None:
    make_records(SyntheticSpec(reference_date=DAY, size=3000), folder=tmp_path, area_codes=AREAS, postcodes=POSTCODES)
    found = counted(tmp_path, by=(dimension("client_group"),), people=True)
    assert found.buckets["another claim of a person counted"] > 100


def test_benefits_are_unequal_and_areas_overdispersed(tmp_path: Path) -> None:
    made = make_records(
        SyntheticSpec(reference_date=DAY, size=8000), folder=tmp_path, area_codes=AREAS, postcodes=POSTCODES
    )
    inhabited = made.counts[:50]
    assert inhabited.var() > 5 * inhabited.mean()
    found = counted(tmp_path, by=(dimension("benefit"),))
    sizes = np.bincount(found.cells["benefit"].to_numpy(), found.cells["count"].to_numpy(), minlength=6)
    assert sizes.min() > 0
    assert sizes.max() > 5 * sizes.min()


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        spec = SyntheticSpec(reference_date=DAY, size=500, seed=seed)
        make_records(spec, folder=tmp_path / name, area_codes=AREAS, postcodes=POSTCODES)
    one, two, other = ((tmp_path / name / "claims.csv").read_bytes() for name in "abc")
    assert one == two != other


@pytest.mark.parametrize("size", [1, 2, 7])
def test_tiny_extracts(tmp_path: Path, size: int) -> None:
    spec = SyntheticSpec(reference_date=DAY, size=size, files=3)
    made = make_records(spec, folder=tmp_path, area_codes=AREAS, postcodes=POSTCODES)
    assert made.rows == size == sum(counted(tmp_path).buckets.values())


def test_matched_claims_equal_the_published_counts(tmp_path: Path) -> None:
    level_codes = np.array(["E01000001", "E01000002", "E01000003"])
    level_of_area = (np.arange(60) // 20).astype(np.int32)
    published = {"E01000003": 40, "E01000001": 135, "E01000002": 0}
    counts = match_counts(
        list(published),
        list(published.values()),
        level_codes=level_codes,
        level_of_area=level_of_area,
        homes=np.bincount(POSTCODES.area, minlength=60),
        seed=3,
    )
    made = make_records(
        SyntheticSpec(reference_date=DAY, trouble=Trouble(ended=0.4)),
        folder=tmp_path,
        area_codes=AREAS,
        postcodes=POSTCODES,
        counts=counts,
    )
    found = counted(tmp_path)
    np.testing.assert_array_equal(np.bincount(level_of_area, by_area(found)), [135, 0, 40])
    assert made.rows > 175


def test_matching_tells_all_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        match_counts(
            ["A", "A", "X"],
            [5, 5, 1],
            level_codes=np.array(["A", "B", "C"]),
            level_of_area=np.array([0, 1, 2], np.int32),
            homes=np.array([0, 1, 1]),
            seed=1,
        )
    kinds = [fault.kind for fault in caught.value.faults]
    assert kinds == ["area twice", "unknown area", "area missing", "area missing", "no postcode"]


def test_reading_published_counts(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text("\ufeffcode,value\nA,5\nB, 0\n", encoding="utf-8")
    assert read_counts(path, code="code", value="value") == (["A", "B"], [5, 0])
    path.write_text("code,value\nA,c\nB,-1\n")
    with pytest.raises(InputError) as caught:
        read_counts(path, code="code", value="value")
    assert [fault.row for fault in caught.value.faults] == [2, 3]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_hand_written_statement_gives_the_same_counts_and_buckets(tmp_path: Path, form: str) -> None:
    spec = SyntheticSpec(reference_date=DAY, size=20_000, format=form)
    make_records(spec, folder=tmp_path, area_codes=AREAS, postcodes=POSTCODES)
    found = counted(tmp_path)
    connection = duckdb.connect()
    connection.execute("CREATE TABLE postcodes (bare VARCHAR, area INTEGER)")
    connection.executemany(
        "INSERT INTO postcodes VALUES (?, ?)", list(zip(BARE.tolist(), POSTCODES.area.tolist(), strict=True))
    )
    path = str(tmp_path / f"claims.{form}")
    source = f"read_csv('{path}', all_varchar = true)" if form == "csv" else f"read_parquet('{path}')"
    rows = connection.execute(statement(source)).fetchall()
    states = dict.fromkeys(range(1, 8), 0)
    for state, *_, lines in rows:
        states[state] += lines
    claims = {tuple(row[1:6]): row[6] for row in rows if row[0] == 1}
    names = ("not live on the date", "erased", "no area", "unknown code", "faulty")
    assert [states[state] for state in (2, 3, 5, 6, 7)] == [found.buckets[name] for name in names]
    assert states[1] - sum(claims.values()) == found.buckets["duplicate"]
    columns = found.cells.to_pydict()
    assert claims == {tuple(row[:-1]): row[-1] for row in zip(*columns.values(), strict=True)}


@pytest.mark.parametrize(
    "wrong", [{"size": 0}, {"format": "xls"}, {"files": 0}, {"reference_date": dt.date(1900, 1, 1)}]
)
def test_specs_check_themselves(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        SyntheticSpec(**{"reference_date": DAY, "size": 10, **wrong})
    with pytest.raises(ValueError, match="must"):
        Trouble(ended=0.99)
