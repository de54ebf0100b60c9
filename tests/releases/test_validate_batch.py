"""`smallarea validate-batch`: a share in a band, refusals that tell nothing, a private log."""

import base64
import fcntl
import json
import random
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
from small_place import Ran, command

DAY = "2026-05-31"
REFERENCE = re.compile(r"QQ\d{3}")


class Office:
    """A folder with an extract of 400 people, a key, and somebody who asks about them."""

    def __init__(
        self, folder: Path, *, meeting: frozenset[int] = frozenset(range(0, 400, 2)), name: str = "office"
    ) -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self.key = self.folder / "key"
        self.key.write_bytes(b"a key of the office, no secret to a test" * 2)
        self.log = self.folder / "key.batches"
        rows = ["person_reference,surname,birth_date,sex,benefit,claim_start,claim_end"]
        for at in range(400):
            benefit = "UC" if at in meeting else "JSA"
            rows.append(f"QQ{at:03},Canaryson,1990-01-01,{'FM'[at % 2]},{benefit},2026-01-01,")
        self.extract = self.folder / "claims.csv"
        self.extract.write_text("\n".join(rows) + "\n")

    def batch(self, people: Iterable[int]) -> Path:
        path = self.folder / "batch.csv"
        path.write_text("person_reference,name\n" + "".join(f"QQ{at:03},Canaryson\n" for at in people))
        return path

    def ask(self, people: Iterable[int] | Path, criteria: str = "benefit=UC", *more: object, date: str = DAY) -> Ran:
        batch = people if isinstance(people, Path) else self.batch(people)
        ran = command(
            "validate-batch", batch, "--criteria", criteria, "--extract", self.extract, "--date", date,
            "--key-file", self.key, "--threads", 1, *more,
        )  # fmt: skip
        assert not REFERENCE.search(ran.out + ran.err) and "Canary" not in ran.out + ran.err
        assert "Traceback" not in ran.err and ran.code in (0, 2, 3), ran.err
        return ran


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


# --- Answers ----------------------------------------------------------------------------------------


def test_a_share_in_a_band(office: Office) -> None:
    ran = office.ask(range(0, 200))
    assert ran.code == 0
    assert ran.out == (
        "About 50 % (between 40 % and 60 %) of the 200 people of the batch meet: live; benefit=UC, on 2026-05-31\n"
    )


@pytest.mark.parametrize(
    ("people", "words"), [(range(0, 400, 2), "At least 90 % of"), (range(1, 400, 2), "At most 10 % of")]
)
def test_all_and_none_are_told_as_at_least_and_at_most(office: Office, people: range, words: str) -> None:
    assert office.ask(people).out.startswith(words)


def test_people_whom_the_extract_does_not_have_count_as_not_meeting(office: Office) -> None:
    batch = office.batch([])
    batch.write_text("person_reference\n" + "".join(f"made-up-{at}\n" for at in range(60)))
    assert office.ask(batch).out.startswith("At most 10 %")


def test_answers_are_true(tmp_path: Path) -> None:
    rng = random.Random(3)
    for number in range(3):
        truth = frozenset(rng.sample(range(400), rng.randint(0, 400)))
        office = Office(tmp_path, meeting=truth, name=f"office-{number}")
        for first in (0, 100, 250):
            people = range(first, first + rng.randint(51, 100))
            share = json.loads(office.ask(people, "benefit=UC", "--json").out)["share"]
            true = 100 * len(truth & set(people)) / len(people)
            assert share["at_least"] <= true <= share["at_most"] and abs(share["about"] - true) < 10


def test_json(office: Office) -> None:
    ran = office.ask([*range(0, 100), 5, 5], "benefit=uc", "--json")
    told = json.loads(ran.out)
    assert told["verdict"] == "answered" and told["written"] == [str(office.log)]
    assert told["share"] == {
        "about": 50, "at_least": 40, "at_most": 60, "people": 100, "criteria": "live; benefit=UC", "date": DAY,
    }  # fmt: skip
    assert "2 rows name a person who was named before" in ran.err


def test_asked_again_the_same_answer_and_nothing_new_in_the_log(office: Office) -> None:
    people = list(range(0, 201))
    first = office.ask(people)
    log = office.log.read_bytes()
    for seed in range(3):
        random.Random(seed).shuffle(people)
        assert office.ask([*people, people[0]], " BENEFIT = Universal Credit; live").out == first.out
    office.extract.rename(office.extract.with_name("claims-renamed.csv"))
    office.extract = office.extract.with_name("claims-renamed.csv")
    assert office.ask(people).out == first.out
    assert office.log.read_bytes() == log


def test_draws_belong_to_the_question_and_the_key(tmp_path: Path) -> None:
    """A count between two tenths is told as either, by the key; by one key always as the same."""
    told = set()
    for number in range(12):
        office = Office(tmp_path, meeting=frozenset(range(55)), name=f"office-{number}")
        office.key.write_bytes(b"key number %032d" % number)
        told.add(office.ask(range(100)).out.split(" (")[0])
    assert told == {"About 50 %", "About 60 %"}


def test_the_extract_of_a_release_file(office: Office, city: Path, tmp_path: Path) -> None:
    batch = office.batch(range(60))
    ran = command(
        "validate-batch", batch, "--criteria", "live", "--release", city, "--date", DAY, "--key-file", office.key
    )  # fmt: skip
    assert ran.code == 0 and ran.out.startswith("At most 10 % of the 60 people")


# --- Refusals ---------------------------------------------------------------------------------------


def test_too_small_is_refused_by_size_alone(office: Office) -> None:
    ran = office.ask(range(50))
    assert ran.code == 3 and "refused for the size of the batch: it holds 50 different people and 51 are" in ran.err
    assert not office.log.exists()
    assert office.ask([*range(50), *range(20)]).code == 3  # repeating people does not make them more


@pytest.mark.parametrize(
    ("second", "criteria", "date"),
    [
        (range(0, 99), "benefit=UC", DAY),
        (range(0, 101), "benefit=UC", DAY),
        (range(1, 101), "benefit=UC", DAY),
        (range(0, 99), "benefit=JSA", DAY),
        (range(0, 99), "live", "2026-04-30"),
        (range(99, 200), "sex=F", DAY),
    ],
)
def test_differences_of_a_few_are_refused(office: Office, second: range, criteria: str, date: str) -> None:
    assert office.ask(range(0, 100)).code == 0
    log = office.log.read_bytes()
    ran = office.ask(second, criteria, date=date)
    assert ran.code == 3 and "refused for its overlap" in ran.err and ran.out == ""
    assert office.log.read_bytes() == log


def test_two_questions_about_the_same_people_and_no_third(office: Office) -> None:
    assert [office.ask(range(100), "benefit=UC", date=date).code for date in (DAY, "2026-04-30", "2026-03-31")] == [
        0,
        0,
        3,
    ]
    assert office.ask(range(100), "sex=F").code == 3
    assert office.ask(range(100), "benefit=UC", date="2026-04-30").code == 0  # was answered before
    assert office.ask(range(100, 200), "sex=F").code == 0


def test_a_changed_extract_is_another_question(office: Office) -> None:
    assert office.ask(range(100)).code == 0
    office.extract.write_text(office.extract.read_text() + "ZZ1,Canaryson,1990-01-01,F,UC,2026-01-01,\n")
    assert office.ask(range(100)).code == 0
    office.extract.write_text(office.extract.read_text() + "ZZ2,Canaryson,1990-01-01,F,UC,2026-01-01,\n")
    assert office.ask(range(100)).code == 3


def test_a_refusal_has_nothing_to_do_with_the_truth(tmp_path: Path) -> None:
    """The same questions to offices whose people differ in everything that is asked: the same are refused, in the same words."""
    rng = random.Random(7)
    questions = []
    for _ in range(12):
        first, size = rng.randrange(300), rng.choice([40, 60, 90, 100, 200])
        questions.append(
            (range(first, min(400, first + size)), rng.choice(["live", "benefit=UC", "sex=F", "benefit=JSA"]))
        )
    truths = [frozenset(), frozenset(range(400)), frozenset(rng.sample(range(400), 200)), frozenset(range(0, 400, 3))]
    told = []
    for number, truth in enumerate(truths):
        office = Office(tmp_path, meeting=truth, name=f"truth-{number}")
        asked = [office.ask(*question) for question in questions]
        told.append([(ran.code, ran.err) for ran in asked])
    assert told[0] == told[1] == told[2] == told[3]
    assert {code for code, _ in told[0]} == {0, 3}


def test_a_refusal_comes_before_any_row_of_the_extract_is_read(office: Office) -> None:
    office.extract.write_text("no extract at all\n")
    assert office.ask(range(50)).code == 3
    assert office.ask(range(60)).code == 2
    assert not office.log.exists()


# --- The log ----------------------------------------------------------------------------------------


def test_the_log_holds_hashes_and_answers_alone(office: Office) -> None:
    office.ask(range(60))
    assert office.log.stat().st_mode & 0o777 == 0o600
    text = office.log.read_text()
    plain = json.loads(text)
    assert plain["private"].startswith("Private") and set(plain["answered"][0]) == {"question", "answer", "people"}
    assert len(base64.b64decode(plain["answered"][0]["people"])) == 60 * 16
    assert not REFERENCE.search(text) and "benefit" not in text and office.key.read_text() not in text
    assert [path.name for path in office.folder.iterdir() if path.name.startswith(".")] == []


def test_a_log_that_was_changed_is_refused(office: Office) -> None:
    office.ask(range(60))
    whole = office.log.read_text()
    plain = json.loads(whole)
    changed = [
        json.dumps(plain | {"answered": []}),
        json.dumps(plain | {"min_count": 1}),
        json.dumps({key: value for key, value in plain.items() if key != "seal"}),
        whole[: len(whole) // 2],
        "",
        "[]",
        "{}",
        "[" * 100_000,
    ]
    for text in changed:
        office.log.write_text(text)
        ran = office.ask(range(100, 200))
        assert ran.code == 2 and "--log" in ran.err
        assert office.log.read_text() == text
    office.log.write_text(whole)
    assert office.ask(range(100, 200)).code == 0


def test_a_log_of_another_key_or_min_count_is_refused(office: Office) -> None:
    office.ask(range(60))
    assert "begun with a min_count of 5, not 3" in office.ask(range(100, 200), "live", "--min-count", 3).err
    assert office.ask(range(100, 200), "live", "--min-count", 5).code == 0
    office.key.write_bytes(b"another key that is no secret to a test either")
    ran = office.ask(range(200, 300), "live")
    assert ran.code == 2 and "was written under another key" in ran.err


def test_a_larger_min_count_asks_for_larger_batches(office: Office) -> None:
    assert "101 are the least" in office.ask(range(100), "live", "--min-count", 10).err
    assert office.ask(range(101), "live", "--min-count", 10).code == 0
    assert "101 are the least" in office.ask(range(200, 300)).err  # the log keeps it


def test_two_runs_at_once(office: Office) -> None:
    lock = office.folder / ".key.batches.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = office.ask(range(60))
        assert ran.code == 2 and "is in use by another run" in ran.err and not office.log.exists()
    assert office.ask(range(60)).code == 0
    assert not lock.exists()


def test_nothing_is_told_that_the_log_could_not_keep(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("releases.files.wholefiles.os.replace", full)
    ran = office.ask(range(60))
    assert ran.code == 2 and ran.out == "" and "key.batches" in ran.err
    assert not office.log.exists()
    assert [path.name for path in office.folder.iterdir() if path.name.startswith(".")] == []


def test_the_log_may_not_take_the_place_of_what_is_read(office: Office) -> None:
    for path in (office.key, office.extract, office.batch(range(60))):
        before = path.read_bytes()
        assert office.ask(office.folder / "batch.csv", "live", "--log", path).code == 2
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    "wrong",
    [
        ("--date", "31/05/2026"),
        ("--end", "open"),
        ("--release", "RELEASE.toml"),
        ("--min-count", "0"),
        ("--log", "missing/folder/log"),
        ("--column", "reference"),
    ],
)
def test_wrong_options(office: Office, wrong: tuple[str, str]) -> None:
    assert office.ask(range(60), "live", *wrong).code == 2
    assert not office.log.exists()


# --- Batches that are broken --------------------------------------------------------------------------


def broken(rng: random.Random, whole: bytes) -> bytes:
    """The bytes of a batch with something wrong somewhere."""
    content = bytearray(whole)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(content))
        match rng.randrange(9):
            case 0:
                content[at] = rng.randrange(256)
            case 1:
                del content[at : at + rng.randint(1, 40)]
            case 2:
                content[at:at] = rng.choice([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"\xe2\x80\xa8", b"'", b"=1+1"])
            case 3:
                del content[at:]
            case 4:
                content[at:at] = bytes(rng.randrange(256) for _ in range(8))
            case 5:
                content[:0] = rng.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b" ", b"PAR1"])
            case 6:
                content[at:at] = content[at : at + rng.randint(1, 200)]
            case 7:
                content[:] = bytes(content).replace(b"\n", rng.choice([b"\r\n", b"\r", b"\n\n"]))
            case _:
                content[at:at] = b"9" * rng.choice([10, 200_000])
        if not content:
            content = bytearray(b"\n")
    return bytes(content)


def fuzz(office: Office, numbers: Iterable[int]) -> list[int]:
    csv = office.batch(range(52)).read_bytes()
    parquet = office.folder / "batch.parquet"
    pd.read_csv(office.folder / "batch.csv").to_parquet(parquet)
    whole = parquet.read_bytes()
    codes = []
    for number in numbers:
        rng = random.Random(f"broken {number}")
        path = parquet if number % 4 == 0 else office.folder / "batch.csv"
        path.write_bytes(broken(rng, whole if number % 4 == 0 else csv))
        office.log.unlink(missing_ok=True)
        codes.append(office.ask(path, "live").code)
    return codes


def test_broken_batches(office: Office) -> None:
    codes = fuzz(office, range(150))
    assert set(codes) == {0, 2, 3}


@pytest.mark.long
@pytest.mark.parametrize("first", range(150, 3150, 500))
def test_thousands_of_broken_batches(office: Office, first: int) -> None:
    fuzz(office, range(first, first + 500))
