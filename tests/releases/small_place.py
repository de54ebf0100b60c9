"""A place of 24 output areas with made-up claims, quick to publish, and what tests do with it."""

import csv
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import tomlkit

from releases.cli import main
from releases.synth.making import DEMO_KEY, SynthOptions, synthesise

COLUMNS = ("person_reference", "surname", "forename", "national_insurance_number", "birth_date", "sex", "address",
           "postcode", "telephone", "benefit", "claim_start", "claim_end", "status", "employment_status", "notes")  # fmt: skip
AREAS = [f"E009{lad}{msoa}{lsoa}{oa:02d}" for lad in (1, 2) for msoa in (1, 2) for lsoa in (1, 2) for oa in (1, 2, 3)]
POSTCODES = {area: [f"ZY{number + 10} {home}AA" for home in (1, 2)] for number, area in enumerate(AREAS)}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> dict[str, object]:
        """Standard output, which must be one JSON object and nothing else."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        told = json.loads(lines[0])
        assert isinstance(told, dict)
        return told


def command(*arguments: object) -> Ran:
    """Run `smallarea` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["smallarea", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
    return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def lookup_rows() -> list[str]:
    rows = ["oa21cd,lsoa21cd,msoa21cd,msoa21nm,lad22cd,lad22nm"]
    for area in AREAS:
        lad, msoa = area[4], area[4:6]
        rows.append(f"{area},E019{area[4:7]}00,E029{msoa}000,Place {msoa},E089{lad}0000,Town {lad}")
    return rows


def make_place(folder: Path, **options: object) -> Path:
    """Lookup, postcodes, 600 claims and a release file in `folder`/source; the release file's path."""
    folder.mkdir(exist_ok=True)
    (folder / "lookup.csv").write_text("\n".join(lookup_rows()) + "\n")
    lines = ["pcds,oa21cd", *(f"{one},{area}" for area in AREAS for one in POSTCODES[area])]
    (folder / "postcodes.csv").write_text("\n".join(lines) + "\n")
    given = {"size": 600, "seed": 3, "key": DEMO_KEY, "areas": folder / "lookup.csv"} | options
    synthesise(SynthOptions(out=folder / "source", postcodes=folder / "postcodes.csv", **given))  # type: ignore[arg-type]
    return folder / "source" / "RELEASE.toml"


def copied(release: Path, folder: Path) -> Path:
    """A copy of everything that a release file names, to be spoiled."""
    shutil.copytree(release.parent.parent, folder)
    return folder / release.parent.name / release.name


def change(release: Path, /, **parts: object) -> Path:
    """Set ``part__key = value`` in a release file; None removes; a part alone is set whole."""
    document = tomlkit.parse(release.read_text(encoding="utf-8"))
    for name, value in parts.items():
        *path, last = name.split("__")
        place: object = document
        for step in path:
            place = place[int(step)] if step.isdigit() else place[step]  # type: ignore[index]
        if value is None:
            del place[last]  # type: ignore[attr-defined]
        else:
            place[last] = value  # type: ignore[index]
    release.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")
    return release


def one_table(release: Path, by: Sequence[str] = ("sex",), **more: object) -> Path:
    """Leave one table alone in a release file: quicker to publish."""
    return change(release, table=[{"id": "one", "title": "Claims", "by": list(by), **more}])


def read_claims(release: Path) -> list[dict[str, str]]:
    with (release.parent / "claims" / "claims.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_claims(
    release: Path, rows: Iterable[Mapping[str, str]], *, columns: Sequence[str] = COLUMNS, encoding: str = "utf-8"
) -> Path:
    """Put an extract of these rows in the place of the one there."""
    path = release.parent / "claims" / "claims.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def claim(number: int, **more: str) -> dict[str, str]:
    """A claim that counts, of a person of their own."""
    area = AREAS[number % len(AREAS)]
    return {
        "person_reference": f"P{number:09d}",
        "surname": "Corwinby",
        "forename": "Osni",
        "birth_date": "1980-01-01",
        "sex": "F",
        "postcode": POSTCODES[area][0],
        "benefit": "UC",
        "claim_start": "2026-01-05",
    } | more


def files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its name."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def buckets(review: Path) -> dict[str, int]:
    return {row["bucket"]: int(row["rows"]) for row in rows_of(review / "buckets.csv")}
