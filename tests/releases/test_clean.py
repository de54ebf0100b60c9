"""What is published by a method that keeps the promise raises nothing, with the truth and without.

A made-up place of 24 output areas is protected by `protect --attack`, or published, and then attacked as anybody
would who has the files.  Methods that cannot keep the promise are refused, and their files are found out.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from small_place import AREAS, POSTCODES, Ran, change, command, copied, read_claims, rows_of, write_claims

from releases.publish.pipeline import publish

UNSAFE = ("disclosure", "contradiction")
NEST = "oa21cd<lsoa21cd<msoa21cd<lad22cd"
CROSSED = ("--by", "benefit,sex")

# Per case the options of `protect`.
KEPT: Mapping[str, Sequence[str]] = {
    "controlled rounding": ("--method", "controlled-rounding"),
    "controlled rounding to 10": ("--method", "controlled-rounding", "--base", "10"),
    "minimum distance, a share by chance": ("--method", "controlled-rounding", "--aim", "minimum-distance", "--share", "0.25"),
    "several margins, a further step": ("--method", "controlled-rounding", "--steps", "1", *CROSSED),
    "the finest crossing": ("--method", "controlled-rounding", "--margins", "finest", *CROSSED),
    "suppression": ("--method", "suppression"),
    "suppression, decoys": ("--method", "suppression", "--decoys", "0.1"),
    "suppression, several margins": ("--method", "suppression", "--margins", "all", *CROSSED),
    "cell keys": ("--method", "cell-key"),
    "cell keys, several margins": ("--method", "cell-key", "--noise-bound", "10", "--noise-variance", "12", *CROSSED),
    "small counts": ("--method", "small-count-rounding"),
    "small counts, several margins": ("--method", "small-count-rounding", *CROSSED),
}  # fmt: skip
NOT_KEPT = ("conventional-rounding", "random-rounding")


def unsafe(ran: Ran) -> list[tuple[str, str, str]]:
    """Kind, cell and witness of what a command found that makes tables unsafe."""
    findings: Any = ran.plain["findings"]
    return [(one["kind"], one["cell"], one["witness"]) for one in findings if one["severity"] in UNSAFE]


@pytest.fixture(scope="module")
def counts(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The claims of the small place by benefit and sex, and by benefit alone."""
    folder = tmp_path_factory.mktemp("counts")
    area_of = {postcode: area for area in AREAS for postcode in POSTCODES[area]}
    claims = [
        row for row in read_claims(place) if row["postcode"] in area_of and row["benefit"] and row["sex"] in ("F", "M")
    ]
    codes = [("benefit", code) for code in sorted({row["benefit"] for row in claims})] + [("sex", "F"), ("sex", "M")]
    write(folder / "categories.csv", ("dimension", "category"), codes)
    for name, by in (("crossed.csv", ("benefit", "sex")), ("plain.csv", ("benefit",))):
        cells = Counter((area_of[row["postcode"]], *(row[one] for one in by)) for row in claims)
        write(folder / name, ("oa21cd", *by, "count"), [(*cell, str(number)) for cell, number in sorted(cells.items())])
    return folder


def write(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")


def protected(place: Path, counts: Path, out: Path, options: Sequence[str]) -> tuple[Ran, Path]:
    """What `protect` says of a table that it is asked for, and the counts behind it."""
    truth = counts / ("crossed.csv" if CROSSED[1] in options else "plain.csv")
    by = () if CROSSED[1] in options else ("--by", "benefit")
    (counts / "test.key").write_bytes(b"a key of made-up tables, which is no secret at all")
    areas = ("--areas", place.parent.parent / "lookup.csv", "--categories", counts / "categories.csv")
    ran = command(
        "protect", truth, "--nest", NEST, *by, *areas, "--key-file", counts / "test.key", *options, "--out", out
    )
    return ran, truth


@pytest.mark.parametrize("name", KEPT)
def test_a_table_that_keeps_the_promise_raises_nothing(place: Path, counts: Path, tmp_path: Path, name: str) -> None:
    ran, truth = protected(place, counts, tmp_path / "safe.csv", (*KEPT[name], "--attack", "--json"))
    assert ran.code == 0, ran.err
    assert unsafe(ran) == []
    known = tmp_path / "known.toml"
    noise = KEPT[name][KEPT[name].index("--noise-bound") + 1] if "--noise-bound" in KEPT[name] else "7"
    known.write_text(f'[[file]]\npath = "safe.csv"\n{f"noise = {noise}" if "cell-key" in KEPT[name] else ""}\n')
    for more in ((), ("--known", known), ("--known", known, "--truth", truth, "--nest", NEST)):
        again = command("attack", tmp_path / "safe.csv", *more, "--json")
        assert (again.code, unsafe(again)) == (0, []), again.err


@pytest.mark.parametrize("method", NOT_KEPT)
def test_a_method_that_cannot_keep_it_is_found_out(place: Path, counts: Path, tmp_path: Path, method: str) -> None:
    """Nothing is written with --attack; without, whoever has the file finds what it gives away."""
    ran, _ = protected(place, counts, tmp_path / "safe.csv", ("--method", method, "--attack"))
    assert ran.code == 1 and not (tmp_path / "safe.csv").exists()
    ran, truth = protected(place, counts, tmp_path / "safe.csv", ("--method", method))
    assert ran.code == 0
    for more in ((), ("--truth", truth, "--nest", NEST)):
        again = command("attack", tmp_path / "safe.csv", *more, "--json")
        assert again.code == 1 and unsafe(again)


def test_noise_that_is_too_small_for_few_people_is_refused(place: Path, counts: Path, tmp_path: Path) -> None:
    """Where next to nobody is expected, a 7 under noise of 6 at most is a 1: the noise that is usual does not do."""
    ran, _ = protected(place, counts, tmp_path / "safe.csv", ("--method", "cell-key", *CROSSED, "--attack", "--json"))
    assert ran.code == 1 and {kind for kind, _, _ in unsafe(ran)} == {"too certain"}


# --- Releases -------------------------------------------------------------------------------------

LINKED = [
    {"id": "benefit", "title": "Claims by benefit", "by": ["benefit"]},
    {"id": "sex", "title": "Claims by sex", "by": ["sex"]},
]
PEOPLE = [*LINKED[:1], {"id": "people", "title": "People by sex", "by": ["sex"], "count": "people"}]
BANDS = [
    {"id": "broad", "title": "Claims by broad age", "by": ["age_band"], "bands": {"age_band": "broad"}},
    {"id": "fine", "title": "Claims by age", "by": ["age_band"]},
]
LATER = {
    "release__reference_date": "2026-08-31",
    "release__extract_date": "2026-12-31",
    "release__publication": "2027-02-16T09:30:00",
    "release__next_publication": "2027-05-18",
}


def quarter(folder: Path, place: Path) -> Iterator[Path]:
    """A release of two linked tables, and the next quarter of it."""
    release = change(copied(place, folder / "given"), table=LINKED)
    yield made(release, folder / "may")
    yield made(change(release, series__first=None, series__previous="../../may", **LATER), folder / "august")


def revised(folder: Path, place: Path) -> Iterator[Path]:
    """A release of two linked tables, and its revision with claims that came late."""
    release = change(copied(place, folder / "given"), table=LINKED)
    yield made(release, folder / "may")
    claims = read_claims(release)
    write_claims(release, claims + [row | {"person_reference": f"L{at:09d}"} for at, row in enumerate(claims[:400:40])])
    parts = {"series__first": None, "series__previous": "../../may", "release__status": "revised"}
    yield made(change(release, **parts), folder / "revised")


def one(table: Sequence[Mapping[str, object]]) -> Callable[[Path, Path], Iterator[Path]]:
    def release(folder: Path, place: Path) -> Iterator[Path]:
        yield made(change(copied(place, folder / "given"), table=list(table)), folder / "out")

    return release


def made(release: Path, out: Path) -> Path:
    publish(release, out)
    return out


RELEASES: Mapping[str, Callable[[Path, Path], Iterator[Path]]] = {
    "two linked tables": one(LINKED),
    "people beside claims": one(PEOPLE),
    "bands inside bands": one(BANDS),
    "a second quarter": quarter,
    "a revised quarter": revised,
}


@pytest.mark.parametrize("name", RELEASES)
def test_releases_raise_nothing_one_after_the_other(place: Path, tmp_path: Path, name: str) -> None:
    """`publish` attacks each before it writes it; then anybody has all of them, and at last the truth too."""
    folders = list(RELEASES[name](tmp_path, place))
    outsider = command("attack", *folders, "--json")
    assert (outsider.code, unsafe(outsider)) == (0, []), outsider.err
    known = tmp_path / "known.toml"
    known.write_text("".join(truths_of(folder) for folder in folders), encoding="utf-8")
    insider = command("attack", *folders, "--known", known, "--json")
    assert (insider.code, unsafe(insider)) == (0, []), insider.err
    assert "judged without the truth" not in insider.err


def truths_of(folder: Path) -> str:
    """What `--known` says of the true counts of a release, and the files of these, as the review pack has them."""
    said = ""
    for path in sorted((folder / "tables").glob("*.csv")):
        rows = rows_of(folder.with_name(f"{folder.name}-review") / f"true-beside-published-{path.name}")
        by = [
            name for name in rows[0] if name not in ("area_level", "area", "true", "published", "difference", "status")
        ]
        finest = [row for row in rows if row["area_level"] == "oa" and all(row[name] != "Total" for name in by)]
        truth = folder.with_name(f"{folder.name}-{path.name}")
        write(truth, ("oa", *by, "count"), [(row["area"], *(row[name] for name in by), row["true"]) for row in finest])
        said += f'[[file]]\npath = "{path}"\ntruth = "{truth}"\n'
    return said
