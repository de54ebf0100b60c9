"""`smallarea freeze`: one frozen, pseudonymised extract a quarter; provisional, then revised."""

import fcntl
import json
import os
import stat
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from small_place import (
    AREAS,
    POSTCODES,
    Ran,
    change,
    claim,
    command,
    copied,
    files,
    one_table,
    read_claims,
    write_claims,
)

from claimants.caseload import CaseloadSpec, count_caseload
from claimants.dimensions import DIMENSIONS, dimension
from claimants.pseudonyms import Pseudonyms, pseudonym_of
from common.keys import key_id
from geography.areas import Level, read_areas
from geography.postcodes import read_postcodes
from releases.files.keyfiles import read_key
from releases.publish.extracts import extract_of
from releases.publish.pipeline import publish
from releases.publish.releasefile import read_release

PROVISIONAL, REVISED = "2026-05-31-provisional", "2026-05-31-revised"
BY = ("benefit", "client_group", "age_band", "sex", "duration_band")


def freeze(release: Path, *more: object, out: Path | None = None) -> Ran:
    store = release.parent.parent / "frozen" if out is None else out
    ran = command("freeze", release, "--out", store, "--threads", 1, "--date", "2026-07-01", *more)
    assert "Traceback" not in ran.err
    return ran


def frozen(release: Path, name: str = PROVISIONAL) -> Path:
    return release.parent.parent / "frozen" / name


def rows_in(folder: Path) -> list[dict[str, object]]:
    return pq.read_table(folder / "claims.parquet").to_pylist()


def manifest(folder: Path) -> dict[str, object]:
    plain = json.loads((folder / "manifest.json").read_text())
    assert isinstance(plain, dict)
    return plain


def from_frozen(release: Path, folder: Path) -> Path:
    """The release, told to read a frozen extract."""
    change(release, claims={"path": str(folder / "claims.parquet"), "end": "inclusive"})
    return change(release, geography__postcodes=None)


# --- What is kept ---------------------------------------------------------------------------------


def test_only_what_counting_needs_is_kept_in_its_coarsest_form(release: Path) -> None:
    one_table(release, by=("sex", "age_band"))
    write_claims(release, [claim(7, birth_date="1991-03-04", sex=" female", benefit="Universal Credit")])
    assert freeze(release).code == 0
    key = read_key(read_release(release).series.key_file)
    assert [{name: str(value) for name, value in row.items()} for row in rows_in(frozen(release))] == [
        {
            "person_reference": str(pseudonym_of("P000000007", Pseudonyms(key=key))),
            "benefit": "UC",
            "claim_start": "2026-01-05",
            "claim_end": "None",
            "output_area": AREAS[7],
            "birth_date": "1991-05-31",  # the youngest of those aged 35 to 44
            "sex": "F",
        }
    ]
    told = manifest(frozen(release))
    assert told["fields"] == {
        "person_reference": "keyed reference",
        "benefit": "as it stands",
        "claim_start": "as it stands",
        "claim_end": "as it stands",
        "output_area": "as it stands",
        "birth_date": "age band",
        "sex": "as it stands",
    }
    assert (told["status"], told["rows"], told["key_id"]) == ("provisional", 1, key_id(key))


@pytest.mark.parametrize(
    ("by", "absent"), [(("benefit",), {"birth_date", "sex"}), (("sex",), {"birth_date"}), (("age_band",), {"sex"})]
)
def test_fields_that_no_table_needs_are_left_out(release: Path, by: tuple[str, ...], absent: set[str]) -> None:
    one_table(release, by=by)
    assert freeze(release).code == 0
    assert absent.isdisjoint(pq.read_schema(frozen(release) / "claims.parquet").names)


def test_broad_bands_alone_are_frozen_broad(release: Path) -> None:
    one_table(release, by=("age_band",), bands={"age_band": "broad"})
    write_claims(release, [claim(1, birth_date="1991-03-04"), claim(2, birth_date="2008-01-01")])
    assert freeze(release).code == 0
    cutoffs = {str(day) for day in dimension("age_band", "broad").cutoffs(read_release(release).release.reference_date)}
    assert {str(row["birth_date"]) for row in rows_in(frozen(release))} <= cutoffs


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"claim_end": ""}, ["None"]),
        ({"claim_end": "2026-06-30"}, ["None"]),  # when a live claim will end is nobody's business
        ({"claim_end": "2026-05-31"}, ["None"]),  # inclusive: live on the reference date
        ({"claim_end": "2026-05-30"}, ["2026-05-30"]),
        ({"claim_end": "2026-03-01"}, ["2026-03-01"]),
        ({"claim_end": "2026-02-28"}, ["2026-02-28"]),  # live on the first day of the window
        ({"claim_end": "2026-02-27"}, []),  # over before the window
        ({"claim_start": "2026-06-01"}, []),  # not started yet
        ({"surname": "DELETED"}, []),  # erased
        ({"postcode": ""}, []),
        ({"benefit": "XX"}, []),
        ({"sex": "Z"}, []),
    ],
)
def test_claims_live_in_the_window_are_kept(release: Path, changed: dict[str, str], kept: list[str]) -> None:
    one_table(release)
    write_claims(release, [claim(1) | changed, claim(1) | changed, claim(2)])
    assert freeze(release).code == 0
    assert len(rows_in(frozen(release))) == len(kept) + 1  # copies are one row
    assert sorted(str(row["claim_end"]) for row in rows_in(frozen(release))) == sorted([*kept, "None"])


def test_of_copies_that_disagree_the_one_that_counts_on_the_reference_date_is_kept(release: Path) -> None:
    one_table(release)
    here, there = POSTCODES[AREAS[0]][0], POSTCODES[AREAS[2]][0]
    write_claims(release, [claim(1, postcode=here, claim_end="2026-05-10"), claim(1, postcode=there)])
    assert freeze(release).code == 0
    assert [(row["output_area"], row["claim_end"]) for row in rows_in(frozen(release))] == [(AREAS[2], None)]


def test_no_value_of_the_extract_that_names_somebody_is_kept(release: Path) -> None:
    persons = {row[name] for row in read_claims(release) for name in ("person_reference", "surname", "postcode")}
    ran = freeze(release)
    text = "".join(str(row) for row in rows_in(frozen(release))) + ran.out + ran.err
    text += "".join(path.read_text() for path in frozen(release).iterdir() if path.suffix != ".parquet")
    assert ran.code == 0 and not [one for one in persons if len(one) > 5 and one in text]
    key = read_key(read_release(release).series.key_file)
    assert key.hex() not in text and key.decode() not in text


# --- What it counts -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["claims", "people"])
def test_a_frozen_extract_gives_the_same_counts(release: Path, count: str) -> None:
    """By all dimensions at once, client groups among them, whose say claims without an area have too."""
    before = read_release(release)
    levels = tuple(Level(level.name, level.code, level.label) for level in before.geography.level)
    areas = read_areas(before.geography.lookup, levels)
    assert before.geography.postcodes is not None
    wanted = before.geography.postcodes
    postcodes = read_postcodes(wanted.path, postcode=wanted.postcode, area=wanted.area, areas=areas)
    change(release, table=[{"id": f"t{at}", "title": name, "by": [name], "count": count}
                           for at, name in enumerate(BY) if count == "people" or name != "client_group"])  # fmt: skip
    by = tuple(dimension(name) for name in DIMENSIONS if name in BY and (count == "people" or name != "client_group"))
    assert freeze(release).code == 0
    spec = CaseloadSpec(reference_date=before.release.reference_date, count=count, dimensions=by)
    true = count_caseload(extract_of(before, ""), area_codes=areas.codes[0], postcodes=postcodes, spec=spec, threads=1)
    after = read_release(from_frozen(release, frozen(release)))
    again = count_caseload(extract_of(after, ""), area_codes=areas.codes[0], postcodes=None, spec=spec, threads=1)
    assert again.cells.equals(true.cells) and true.cells.num_rows > 100
    assert again.buckets["counted"] == true.buckets["counted"]
    assert again.buckets["erased"] == again.buckets["faulty"] == again.buckets["duplicate"] == 0


def test_a_frozen_extract_publishes_the_same_tables(release: Path, tmp_path: Path) -> None:
    one_table(release)
    publish(release, tmp_path / "before")
    assert freeze(release).code == 0
    publish(from_frozen(release, frozen(release)), tmp_path / "after")
    for path in (tmp_path / "before" / "tables").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "after" / "tables" / path.name).read_bytes()


# --- Provisional, revised -------------------------------------------------------------------------


def revised(release: Path, *, extract: str = "2026-11-05") -> Path:
    return change(
        release,
        release__status="revised",
        release__extract_date=extract,
        release__publication="2026-12-15T09:30:00+00:00",
        release__next_publication="2027-03-16",
    )


def test_the_same_freeze_again_changes_nothing(release: Path) -> None:
    first = freeze(release)
    made = files(frozen(release))
    again = freeze(release)
    assert (first.code, again.code) == (0, 0) and "Frozen before, and the same" in again.out
    assert files(frozen(release)) == made
    assert sorted(path.name for path in frozen(release).parent.iterdir()) == [PROVISIONAL]


def test_rows_in_another_order_make_the_same_bytes(release: Path, tmp_path: Path) -> None:
    other = copied(release, tmp_path / "other")
    write_claims(other, reversed(read_claims(other)))
    assert freeze(release).code == freeze(other).code == 0
    assert files(frozen(release)) == files(frozen(other))


def test_other_content_is_refused_unless_it_is_a_revision(release: Path) -> None:
    assert freeze(release).code == 0
    made = files(frozen(release))
    write_claims(release, [*read_claims(release), claim(999)])
    ran = freeze(release)
    assert ran.code == 2 and "a frozen extract is never changed" in ran.err
    assert freeze(revised(release)).code == 0
    assert files(frozen(release)) == made  # both are kept
    assert {path.name for path in frozen(release).parent.iterdir()} == {PROVISIONAL, REVISED}
    assert "revised already" not in freeze(release).err
    ran = freeze(change(release, release__status="provisional"))
    assert ran.code == 2


def test_what_came_late_is_told_by_benefit(release: Path) -> None:
    """One claim for each thing that can become known after the provisional extract."""
    one_table(release)
    known = [
        claim(1),  # still live
        claim(2),  # its end becomes known
        claim(3, claim_end="2026-05-10"),  # the end was a mistake
        claim(4, claim_end="2026-05-10"),  # the end was another
        claim(5),  # withdrawn
        claim(6, claim_end="2026-05-10"),  # withdrawn
        claim(7, benefit="JSA"),
    ]
    later = [
        claim(1),
        claim(2, claim_end="2026-05-20"),
        claim(3),
        claim(4, claim_end="2026-04-10"),
        claim(7, benefit="JSA"),
        claim(8, claim_start="2026-05-20"),  # started late
        claim(9, claim_start="2026-04-20", claim_end="2026-05-20"),  # started late, and was over
        claim(10, claim_start="2026-01-20", claim_end="2026-02-20"),  # over before the window
        claim(11, claim_start="2026-06-20"),  # after the reference date
    ]
    write_claims(release, known)
    assert freeze(release).code == 0
    write_claims(release, later)
    ran = freeze(revised(release))
    assert ran.code == 0, ran.err
    told = json.loads((frozen(release, REVISED) / "late.json").read_text())
    nothing = dict.fromkeys(told["total"], 0)
    assert told["benefits"] == [
        {"benefit": "JSA", **nothing, "provisional": 1, "revised": 1},
        {
            "benefit": "UC",
            "provisional": 3,
            "started_late": 2,
            "started_late_and_live": 1,
            "ended_late": 1,
            "end_taken_back": 1,
            "end_moved": 1,
            "gone": 2,
            "gone_and_live": 1,
            "revised": 3,
        },
    ]
    for one in (told["total"], *told["benefits"]):
        change_ = one["started_late_and_live"] + one["end_taken_back"] - one["ended_late"] - one["gone_and_live"]
        assert one["revised"] == one["provisional"] + change_
    # True counts of single claims stand in the private file alone.
    assert "late.json" in ran.out and "started" not in ran.out and told["private"] is True


@pytest.mark.parametrize(("extract", "told"), [("2026-10-30", True), ("2026-10-31", False)])
def test_a_revision_long_before_five_months_is_told(release: Path, extract: str, told: bool) -> None:
    one_table(release)
    assert freeze(release).code == 0
    ran = freeze(revised(release, extract=extract))
    assert ran.code == 0 and ("about five months" in ran.err) is told


def test_a_revision_must_match_the_provisional_extract(release: Path, tmp_path: Path) -> None:
    one_table(release)
    assert freeze(release).code == 0
    other = tmp_path / "other-key"
    other.write_bytes(b"another key of the series, no secret to a test")
    ran = freeze(revised(release), "--key-file", other)
    assert ran.code == 2 and "key_id is" in ran.err and "another key" not in ran.err + ran.out
    ran = freeze(release, "--from", "2026-03-31")
    assert ran.code == 2 and "from is 2026-03-31" in ran.err
    assert freeze(release).code == 0


def test_a_revision_without_a_provisional_extract_says_what_it_cannot_tell(release: Path) -> None:
    one_table(release)
    ran = freeze(revised(release))
    assert ran.code == 0 and "late starts and ends cannot be told" in ran.err
    assert not (frozen(release, REVISED) / "late.json").exists()


# --- Where it may lie, and under which key --------------------------------------------------------


def test_folders_and_files_are_for_their_owner_alone(release: Path) -> None:
    old = os.umask(0)
    try:
        assert freeze(release).code == 0
    finally:
        os.umask(old)
    store = frozen(release).parent
    assert [stat.S_IMODE(path.stat().st_mode) for path in (store, frozen(release))] == [0o700, 0o700]
    assert {stat.S_IMODE(path.stat().st_mode) for path in frozen(release).iterdir()} == {0o600}


@pytest.mark.parametrize("where", ["release", "release/frozen"])
def test_a_public_folder_is_refused(release: Path, tmp_path: Path, where: str) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "manifest.json").write_text('{"format": "smallarea release 1"}')
    ran = freeze(release, out=tmp_path / where)
    assert ran.code == 2 and "public" in ran.err
    assert [path.name for path in (tmp_path / "release").iterdir()] == ["manifest.json"]


def test_a_folder_with_other_things_is_refused(release: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("mine")
    ran = freeze(release, out=tmp_path / "notes")
    assert ran.code == 2 and "something else" in ran.err
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["notes.txt"]


def test_what_fails_leaves_nothing(release: Path) -> None:
    write_claims(release, [claim(1)], columns=("person_reference", "benefit"))
    ran = freeze(release)
    assert ran.code == 2 and not frozen(release).parent.exists()


def test_what_a_killed_freeze_left_goes_and_another_at_work_is_waited_for(release: Path) -> None:
    one_table(release)
    store = frozen(release).parent
    left = store / f".{PROVISIONAL}.new"
    left.mkdir(parents=True)
    (left / "claims.parquet").write_bytes(b"half")
    handle = os.open(store, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        ran = freeze(release)
    finally:
        os.close(handle)
    assert ran.code == 2 and "another command is at work there" in ran.err and left.exists()
    assert freeze(release).code == 0
    assert [path.name for path in store.iterdir()] == [PROVISIONAL]


@pytest.mark.parametrize(
    ("record", "code", "told"),
    [
        ('id = "{id}"\npurpose = "person reference"\nsince = 2026-01-01\nheld_by = "head of data"\n', 0, ""),
        ('id = "{id}"\npurpose = "person reference"\nsince = 2026-07-02\nheld_by = "head of data"\n', 2, "in use from"),
        ('id = "{id}"\npurpose = "record key"\nsince = 2026-01-01\nheld_by = "head of data"\n', 2, "not on record"),
        (
            'id = "{id}"\npurpose = "person reference"\nsince = 2026-01-01\nretired = 2026-07-01\nheld_by = "a"\n',
            2,
            "was retired on 2026-07-01",
        ),
        ('id = "{id}"\npurpose = "person reference"\nsince = 2026-01-01\nheld_by = " "\n', 2, "must not be blank"),
        ('id = "{id}"\npurpose = "person reference"\nkey = "x"\nsince = 2026-01-01\nheld_by = "a"\n', 2, "key.1.key"),
    ],
)
def test_the_key_must_be_on_record_and_in_use(release: Path, tmp_path: Path, record: str, code: int, told: str) -> None:
    one_table(release)
    id_ = key_id(read_key(read_release(release).series.key_file))
    custody = tmp_path / "keys.toml"
    custody.write_text("[[key]]\n" + record.format(id=id_))
    custody.chmod(0o600)
    ran = freeze(release, "--custody", custody)
    assert (ran.code, told in ran.err) == (code, True), ran.err
    assert frozen(release).exists() is (code == 0)


def test_answer_in_json(release: Path) -> None:
    one_table(release)
    plain = freeze(release, "--json").plain
    assert (plain["command"], plain["verdict"], plain["written"]) == ("freeze", "frozen", [str(frozen(release))])
    assert plain["frozen"]["status"] == "provisional"  # type: ignore[index]
