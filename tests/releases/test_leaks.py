"""Nothing of a person and no true count leaves through anything that a command writes, in success and in failure."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from searching import found_numbers, found_words, texts
from small_place import AREAS, COLUMNS, change, claim, copied, lookup_rows, one_table, rows_of, write_claims

from claimants import duckdbengine
from claimants.caseload import count_caseload
from releases.publish.pipeline import publish

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PERSON = {
    "person_reference": "PKANARIE",
    "surname": "Kanarienvogel",
    "forename": "Zitronella",
    "national_insurance_number": "QQ918273C",
    "birth_date": "1971-07-17",
    "address": "77 Distelweg",
    "telephone": "01632 960917",
    "status": "Vogelfrei",
    "employment_status": "Voliere",
    "notes": "Geheimnis, von niemandem zu lesen",
}
POSTCODE, UNKNOWN_POSTCODE = "ZY10 1AA", "QX77 7QX"
WORDS = [
    *PERSON.values(),
    POSTCODE,
    POSTCODE.replace(" ", ""),
    UNKNOWN_POSTCODE,
    "QX777QX",
    "17/07/1971",
    "Kanarienbenefiz",
]
# Claims of one benefit in one output area: numbers that stand nowhere else, and are no multiples of the base.
PLANTED = {0: ("UC", 1237), 7: ("PIP", 1049), 13: ("JSA", 2311)}


def canaries() -> list[dict[str, str]]:
    """One person's values in every place that a row can go to."""

    def one(number: int, **more: str) -> dict[str, str]:
        reference = f"{PERSON['person_reference']}{number:04d}"
        return claim(number) | PERSON | {"person_reference": reference, "postcode": POSTCODE} | more

    odd = [
        one(1, claim_start="1971-07-17x"),
        one(2, claim_start=PERSON["surname"]),
        one(3, claim_end="1971-07-17"),
        one(4, benefit="Kanarienbenefiz"),
        one(5, sex=PERSON["forename"]),
        one(6, birth_date=PERSON["national_insurance_number"]),
        one(7, postcode=UNKNOWN_POSTCODE),
        one(8, postcode=PERSON["notes"]),
        one(9, surname="DELETED"),
        one(10, claim_start="2026-07-17"),
        one(12),
        one(12, postcode=POSTCODE.lower()),
    ]
    return odd + [one(100 + number) for number in range(40)]


def planted() -> list[dict[str, str]]:
    rows = []
    for place, (benefit, number) in PLANTED.items():
        for k in range(number):
            rows.append(claim(place, person_reference=f"P{place:02d}{k:05d}", benefit=benefit, sex="FM"[k % 2]))
    return rows


def counts_file(folder: Path) -> Path:
    lines = ["oa21cd,lsoa21cd,msoa21cd,lad22cd,sex,count"]
    for number, row in enumerate(lookup_rows()[1:]):
        oa, lsoa, msoa, _, lad, _ = row.split(",")
        lines += [
            f"{oa},{lsoa},{msoa},{lad},{sex},{count}" for sex, count in (("F", 1237 * (number == 3) + 2), ("M", 3))
        ]
    (folder / "counts.csv").write_text("\n".join(lines) + "\n")
    return folder / "counts.csv"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What commands said, where they ran, and the true counts that nobody may see."""

    heard: tuple[dict[str, object], ...]
    folder: Path
    true: tuple[int, ...]


COMMANDS: dict[str, int] = {
    "published": 0, "checked": 0, "checked with review": 0, "attacked": 0, "protected": 0, "people": 0, "both": 0, "synth": 0,
    "refused": 1, "refused as JSON": 1, "protect refused": 1, "bad spec": 2, "missing column": 2, "windows-1252": 2,
    "utf-16": 2, "torn row": 2, "unknown areas": 2, "bad counts": 2, "small key": 2, "infeasible": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def scene(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Every command in success and in failure, in a process whose temporary and home folders are its own."""
    folder = tmp_path_factory.mktemp("leaks")
    for name in ("tmp", "home", "here", "public", "heard", "reviews"):
        (folder / name).mkdir()
    given = folder / "given"

    def variant(name: str, spoil: Callable[[Path], object] = lambda release: None) -> list[str]:
        release = copied(place, given / name.replace(" ", "-"))
        change(release, series__id=f"series-{len(list(given.iterdir()))}")
        write_claims(release, [*canaries(), *planted()])
        spoil(release)
        out = folder / "public" / name.replace(" ", "-")
        return ["publish", str(release), "--out", str(out), "--review-dir", str(folder / "reviews" / out.name)]

    def torn(release: Path) -> None:
        path = release.parent / "claims" / "claims.csv"
        path.write_text(path.read_text() + ",".join(PERSON.values()) + "\n")

    def both(release: Path) -> None:
        """Six hundred of the planted have a second benefit, elsewhere: people stand beside claims."""
        moved = [row | {"benefit": "CA", "postcode": claim(1)["postcode"]} for row in planted()[:600]]
        write_claims(release, [*canaries(), *planted(), *moved])
        tables = [("claims", "benefit"), ("people", "sex")]
        change(release, table=[{"id": one, "title": one, "by": [by], "count": one} for one, by in tables])

    def conventional(release: Path) -> None:
        change(one_table(release, ["benefit"]), protection__method="conventional-rounding")

    def no_postcodes(release: Path) -> None:
        rows = [row | {"output_area": AREAS[0]} for row in canaries()]
        rows[-1]["output_area"], rows[-2]["output_area"] = PERSON["address"], POSTCODE
        write_claims(release, rows, columns=(*COLUMNS, "output_area"))
        change(release, geography__postcodes=None)

    lacking = [name for name in COLUMNS if name not in ("benefit", "birth_date")]
    out, review = folder / "public" / "published", folder / "reviews" / "published"
    counts = counts_file(given.parent)
    bad = folder / "bad.csv"
    bad.write_text(counts.read_text().replace(",1239", ",1239.5"))
    key = place.parent / "series.key"
    table = ["--nest", "oa21cd<lsoa21cd<msoa21cd<lad22cd", "--by", "sex", "--complete", "--key-file", str(key)]
    safe = folder / "public" / "safe.csv"
    lookup = place.parent.parent / "lookup.csv"
    arguments: dict[str, list[str]] = {
        "published": variant("published"),
        "checked": ["check", str(out)],
        "checked with review": ["check", str(out), "--review-dir", str(review)],
        "attacked": ["attack", str(out / "tables" / "benefit.csv")],
        "protected": ["protect", str(counts), "--out", str(safe), *table, "--attack"],
        "people": variant("people", lambda release: change(one_table(release), release__population="people")),
        "both": variant("both", both),
        "synth": ["synth", "--size", "50", "--areas", str(lookup), "--out", str(folder / "here" / "made")],
        "refused": variant("refused", conventional),
        "refused as JSON": [*variant("refused as JSON", conventional), "--json"],
        "protect refused": ["protect", str(counts), "--out", str(folder / "public" / "no.csv"), *table, "--attack",
                            "--method", "conventional-rounding"],
        "bad spec": variant("bad spec", lambda release: change(release, release__status="draft", protection__base=1)),
        "missing column": variant("missing column", lambda release: write_claims(release, canaries(), columns=lacking)),
        "windows-1252": variant(
            "windows-1252",
            lambda release: write_claims(release, [row | {"notes": "é" + row["notes"]} for row in canaries()], encoding="cp1252"),
        ),
        "utf-16": variant("utf-16", lambda release: write_claims(release, canaries(), encoding="utf-16")),
        "torn row": variant("torn row", torn),
        "unknown areas": variant("unknown areas", no_postcodes),
        "bad counts": ["protect", str(bad), "--out", str(folder / "public" / "no.csv"), *table],
        "small key": variant("small key", lambda release: (release.parent / "series.key").write_bytes(b"Geheimnis")),
        "infeasible": variant("infeasible", lambda release: change(release, protection__base=3)),
    }  # fmt: skip
    assert list(arguments) == list(COMMANDS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "SMALLAREA_"))} | {
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(folder / "home"),
        "PYTHONPATH": str(ROOT),
    }
    script = str(Path(__file__).with_name("listened_commands.py"))
    subprocess.run(
        [
            sys.executable,
            script,
            json.dumps(list(arguments.values())),
            str(folder / "heard.json"),
            str(folder / "heard"),
        ],
        env=environment,
        cwd=folder / "here",
        check=True,
        timeout=600,
    )
    heard = tuple(json.loads((folder / "heard.json").read_text()))
    rows = rows_of(review / "true-beside-published-benefit.csv")
    true = {int(row["true"]) for row in rows if int(row["true"]) > 1000 and int(row["true"]) % 5}
    assert {1278, 1049, 2311} <= true  # 41 canaries count beside the first
    return Scene(heard=heard, folder=folder, true=tuple(sorted({*true, 1239})))


def said(scene: Scene) -> list[tuple[str, str]]:
    return [
        (name, f"{heard['out']}\n{heard['err']}") for name, heard in zip(COMMANDS, scene.heard, strict=True)
    ]  # fmt: skip


def test_every_command_ended_as_meant(scene: Scene) -> None:
    """Else the tests below would look at nothing."""
    ended = {name: heard["code"] for name, heard in zip(COMMANDS, scene.heard, strict=True)}
    assert ended == COMMANDS, [heard["err"] for heard in scene.heard]


class TestPersons:
    def test_not_in_what_is_published(self, scene: Scene) -> None:
        there = list(texts(scene.folder / "public"))
        assert len(there) > 100 and found_words(there, WORDS) == []

    def test_not_in_the_reviewers_folders(self, scene: Scene) -> None:
        there = list(texts(scene.folder / "reviews"))
        assert len(there) > 10 and found_words(there, WORDS) == []

    def test_not_in_what_commands_say(self, scene: Scene) -> None:
        assert found_words(said(scene), WORDS) == []

    def test_not_in_temporary_and_other_files(self, scene: Scene) -> None:
        for name in ("tmp", "home", "here"):
            assert found_words(texts(scene.folder / name), WORDS) == [], name

    def test_the_search_would_find_them(self, scene: Scene, tmp_path: Path) -> None:
        there = found_words(texts(scene.folder / "given" / "published"), WORDS)
        assert {word for _, word in there} >= {word.casefold() for word in PERSON.values()}
        with zipfile.ZipFile(tmp_path / "a.ods", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("content.xml", "<p>kanarienvogel</p>" + " " * 1000)
        pq.write_table(pa.table({"a": ["Zitronella"], "b": [1237]}), tmp_path / "a.parquet", compression="zstd")
        assert len(found_words(texts(tmp_path), WORDS)) >= 2
        assert found_numbers(texts(tmp_path), [1237]) == [("a.parquet!values", 1237)]


class TestTrueCounts:
    def test_not_in_what_is_published(self, scene: Scene) -> None:
        assert found_numbers(texts(scene.folder / "public"), scene.true) == []

    def test_not_in_what_commands_say(self, scene: Scene) -> None:
        assert found_numbers(said(scene), scene.true) == []

    def test_not_in_temporary_and_other_files(self, scene: Scene) -> None:
        for name in ("tmp", "home", "here"):
            assert found_numbers(texts(scene.folder / name), scene.true) == [], name

    def test_in_the_reviewers_folder_they_are(self, scene: Scene) -> None:
        found = {number for _, number in found_numbers(texts(scene.folder / "reviews"), scene.true)}
        assert found >= set(scene.true) - {1239}

    def test_what_a_refusal_proves_is_not_said(self, scene: Scene) -> None:
        """A refused release is not told by its findings: which counts are small, and between what."""
        told = json.loads(str(scene.heard[list(COMMANDS).index("refused as JSON")]["out"]))
        assert told["findings"] and not [finding for finding in told["findings"] if finding["interval"]]


class TestNothingLeft:
    def test_temporary_files_are_gone(self, scene: Scene) -> None:
        assert list((scene.folder / "tmp").iterdir()) == []
        assert {path.name for path in (scene.folder / "here").iterdir()} == {"made"}

    def test_refused_releases_leave_nothing(self, scene: Scene) -> None:
        assert {path.name for path in (scene.folder / "public").iterdir()} == {
            "published", "people", "both", "safe.csv", "safe.csv-metadata.json",
        }  # fmt: skip
        assert {path.name for path in (scene.folder / "reviews").iterdir()} == {"published", "people", "both"}


@pytest.mark.parametrize("step", ["staged", "written"])
def test_after_a_kill_all_that_is_left_lies_in_closed_folders(place: Path, tmp_path: Path, step: str) -> None:
    release = one_table(copied(place, tmp_path / "given"), ["benefit"])
    write_claims(release, [*canaries(), *planted()])
    for name in ("tmp", "home", "here"):
        (tmp_path / name).mkdir()
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_publish.py")), str(release),
         json.dumps([(str(tmp_path / "here"), step)])],
        env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home")},
        cwd=tmp_path / "here",
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )  # fmt: skip
    outputs = [("out", done.stdout), ("err", done.stderr)]
    for there in (outputs, texts(tmp_path / "tmp"), texts(tmp_path / "home"), texts(tmp_path / "here")):
        assert found_words(there, WORDS) == []
    left = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "here").iterdir()}
    assert left == {".out.smallarea-staging": 0o700, ".out-review.smallarea-staging": 0o700}
    true = [number for _, (_, number) in PLANTED.items()]
    assert found_numbers(texts(tmp_path / "here" / ".out.smallarea-staging" / "new"), true) == []


def test_spilled_files_lie_in_the_staging_folder_and_go(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With so little memory that claims do not fit: what is spilled is closed to others, and gone when counting ends."""
    persons = [f"{'Kanarienvogel' * 20}{number:09d}" for number in range(100_000)]
    rows = {name: [value] * len(persons) for name, value in claim(1).items()}
    rows |= {"person_reference": persons, "postcode": [claim(number)["postcode"] for number in range(len(persons))]}
    for name in ("national_insurance_number", "claim_end"):
        rows[name] = [""] * len(persons)
    pq.write_table(pa.table(rows), release.parent / "claims" / "claims.parquet", row_group_size=10_000)
    (release.parent / "claims" / "claims.csv").unlink()
    monkeypatch.setattr("releases.publish.pipeline.count_caseload", partial(count_caseload, memory="40MB"))
    folders: list[Path] = []
    own = duckdbengine.own_folder

    def noted(spill: Path) -> Path:
        folders.append(own(spill))
        return folders[-1]

    monkeypatch.setattr(duckdbengine, "own_folder", noted)
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for folder in list(folders):
                if folder.exists():
                    seen.update(path.name for path in folder.iterdir())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        publish(one_table(release), tmp_path / "out", threads=1)
    finally:
        over.set()
        watcher.join()
    (folder,) = folders
    assert seen and folder.is_relative_to(tmp_path / ".out.smallarea-staging" / "work")
    assert {path.name for path in tmp_path.iterdir()} == {"given", "out", "out-review"}
    assert found_words(texts(tmp_path / "out"), ["Kanarienvogel"]) == []


def test_modes_of_the_folder_that_is_spilled_to(release: Path, tmp_path: Path) -> None:
    modes = []

    def at(step: str) -> None:
        if step == "staged":
            staging = tmp_path / ".out.smallarea-staging"
            modes.extend(stat.S_IMODE(path.stat().st_mode) for path in (staging, staging / "work", staging / "new"))

    publish(one_table(release), tmp_path / "out", at=at)
    assert modes == [0o700] * 3
