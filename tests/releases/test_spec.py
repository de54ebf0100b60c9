"""The release file: everything wrong in it is told at once, and nothing is written then."""

import re
import shutil
from pathlib import Path

import pytest
from small_place import change, command

from common.faults import InputError
from releases.publish.releasefile import read_release


def told(release: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_release(release)
    return str(caught.value).splitlines()


def test_one_that_is_whole(place: Path) -> None:
    release = read_release(place)
    assert release.id == "benefits-small-areas-2026-05-31"
    assert release.series.key_file == place.parent / "series.key"
    assert release.geography.lookup.resolve() == (place.parent.parent / "lookup.csv").resolve()
    assert [release.counts(table) for table in release.table] == ["claims"] * 4


def test_five_faults_at_once(release: Path, tmp_path: Path) -> None:
    change(
        release,
        release__status="draft",
        release__colour="red",
        release__title=None,
        protection__base=1,
        table__0__by=["benefits"],
    )
    ran = command("publish", release, "--out", tmp_path / "out")
    assert ran.code == 2 and ran.out == ""
    lines = ran.err.splitlines()
    assert len(lines) == 5 and all(line.startswith("RELEASE.toml, ") for line in lines)
    for key in ("release.status", "release.colour", "release.title", "protection.base", "table.1.by"):
        assert sum(f", {key}: " in line for line in lines) == 1, key
    assert {path.name for path in tmp_path.iterdir()} == {"given"}


def test_each_fault_says_what_was_found_and_how_to_mend_it(release: Path) -> None:
    change(release, release__title=None, release__colour="red", release__status="draft")
    assert sorted(told(release)) == [
        "RELEASE.toml, release.colour: is not known here; remove it or correct its name",
        "RELEASE.toml, release.status: does not fit (input should be 'provisional', 'revised' or 'final'); correct it",
        "RELEASE.toml, release.title: is missing; add it",
    ]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"release__extract_date": "2026-05-30"}, "dates must run"),
        ({"release__next_publication": "2026-11-17"}, "dates must run"),
        ({"release__reference_date": "31 May 2026"}, "release.reference_date"),
        ({"release__label": "kitemark"}, "release.label"),
        ({"release__population": "households"}, "release.population"),
        ({"contact": []}, "contact"),
        ({"contact__0__email": "nobody"}, "contact.1.email"),
        ({"series__id": "Benefits 2026"}, "series.id"),
        ({"series__first": None}, "must be named"),
        ({"series__previous": "../before"}, "must be named"),
        ({"claims__end": None}, "claims.end: is missing"),
        ({"claims__end": "open"}, "claims.end"),
        ({"claims__format": "xlsx"}, "claims.format"),
        ({"geography__level": []}, "geography.level"),
        ({"geography__level__1__name": "oa"}, "must be all different"),
        ({"geography__boundary": [{"level": "ward", "path": "a", "code": "c", "attribution": "x"}]}, "no such level"),
        (
            {"geography__boundary": [{"level": "oa", "path": "a", "code": "c", "attribution": "x"}] * 2},
            "give one, with all its files in path",
        ),
        ({"protection__method": "guessing"}, "protection.method"),
        ({"protection__min_count": 1}, "protection.min_count"),
        ({"protection__sensitive": ["health"]}, "which no table is by"),
        ({"table": []}, "table"),
        ({"table__1__id": "benefit"}, "must be all different"),
        ({"table__0__id": "../benefit"}, "table.1.id"),
        ({"table__0__by": ["sex", "sex"]}, "named twice"),
        ({"table__0__bands": {"age_band": "broad"}}, "which the table is not by"),
        ({"exception": [{"rule": "anything", "reason": "r", "owner": "o", "expires": "2027-01-01"}]}, "exception.1.rule"),
        ({"exception": [{"rule": "method leaks", "expires": "2027-01-01"}]}, "exception.1.reason: is missing"),
    ],
)  # fmt: skip
def test_faults(release: Path, parts: dict[str, object], words: str) -> None:
    assert words in "\n".join(told(change(release, **parts)))


def test_bands_that_are_in_no_list(release: Path, tmp_path: Path) -> None:
    change(release, table=[{"id": "age", "title": "Age", "by": ["age_band"], "bands": {"age_band": "fine"}}])
    ran = command("publish", release, "--out", tmp_path / "out")
    assert ran.code == 2 and "fine" in ran.err and not (tmp_path / "out").exists()


def test_two_geographies_are_refused_with_the_reason(release: Path) -> None:
    text = release.read_text()
    level = '[[geography.level]]\nname = "oa"\ncode = "oa11cd"\nsingular = "area"\nplural = "areas"\n'
    once = re.sub(r"(?s)\[geography\].*?(?=\[protection\])", "", text)
    assert once != text
    release.write_text(once + f'\n[[geography]]\nlookup = "a.csv"\n{level}\n[[geography]]\nlookup = "b.csv"\n{level}')
    (line,) = told(release)
    assert "two geographies or vintages of the same people are not honoured yet" in line


class TestFile:
    def test_missing(self, tmp_path: Path) -> None:
        assert "there is no such file" in told(tmp_path / "RELEASE.toml")[0]

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "is a folder" in told(tmp_path)[0]

    def test_no_toml(self, release: Path) -> None:
        release.write_text("[release\n")
        assert "is no TOML" in told(release)[0] and "line 1" in told(release)[0]

    def test_a_key_twice(self, release: Path) -> None:
        release.write_text(release.read_text().replace('status = "prov', 'status = "final"\nstatus = "prov'))
        assert "is no TOML" in told(release)[0]

    @pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
    def test_another_encoding(self, release: Path, encoding: str) -> None:
        release.write_text(release.read_text().replace("Small area", "Régional"), encoding=encoding)
        assert "is not UTF-8" in told(release)[0]

    def test_byte_order_mark(self, release: Path) -> None:
        release.write_text(release.read_text(), encoding="utf-8-sig")
        assert read_release(release).release.status == "provisional"

    def test_empty(self, release: Path) -> None:
        release.write_text("")
        lines = told(release)
        assert len(lines) == 6 and all("is missing" in line for line in lines)


def test_paths_are_taken_from_its_folder(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(release, already_public=[{"path": "known.csv"}], claims__path=["one.csv", "two/*.csv"])
    shutil.move(release.parent, tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    read = read_release(Path("moved") / "RELEASE.toml")
    assert read.claims.paths == (Path("moved/one.csv"), Path("moved/two/*.csv"))
    assert read.already_public[0].path == Path("moved/known.csv")
