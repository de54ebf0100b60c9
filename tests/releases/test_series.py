"""Where a release stands in its series: the one before must be named, be of the series, and be earlier."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import Published
from small_place import change, command, files, one_table

from common.faults import InputError
from releases.manifest import read_manifest
from releases.pipeline import publish

LATER = {
    "release__reference_date": "2026-08-31",
    "release__extract_date": "2026-12-31",
    "release__publication": "2027-02-16T09:30:00",
    "release__next_publication": "2027-05-18",
}


@pytest.fixture
def before(done: Published, tmp_path: Path) -> Path:
    """A copy of a release of 31 May 2026."""
    shutil.copytree(done.out, tmp_path / "may")
    return tmp_path / "may"


def refused(release: Path, out: Path) -> str:
    there = files(out.parent)
    with pytest.raises(InputError) as caught:
        publish(release, out)
    assert files(out.parent) == there
    return str(caught.value)


def test_a_second_first_release_is_refused(before: Path, release: Path, tmp_path: Path) -> None:
    one_table(change(release, **LATER))
    said = refused(release, tmp_path / "august")
    assert "first = true, but may is a release of the series 'benefits-small-areas'" in said
    assert "name the release before as previous" in said


def test_a_second_first_release_in_the_same_folder_is_refused(before: Path, release: Path) -> None:
    assert "but may is a release" in refused(one_table(change(release, **LATER)), before)


def test_the_first_release_of_another_series_beside_it(before: Path, release: Path, tmp_path: Path) -> None:
    publish(one_table(change(release, series__id="another", **LATER)), tmp_path / "august")


def test_the_next_quarter(before: Path, release: Path, tmp_path: Path) -> None:
    change(release, series__first=None, series__previous="../../may", **LATER)
    told = publish(one_table(release), tmp_path / "august")
    manifest = read_manifest(tmp_path / "august")
    assert manifest is not None and manifest["previous"] == "benefits-small-areas-2026-05-31"
    page = (tmp_path / "august-review" / "review.html").read_text(encoding="utf-8")
    # 1 - 0.4² - 0.6² = 0.48: a count of 2 is shown as 5 with probability 0.4.
    assert "drawn by its own keyed draws after benefits-small-areas-2026-05-31" in page
    assert "with probability 0.48" in page
    assert any("drawn anew" in notice for notice in told.notices)
    assert command("check", tmp_path / "august", "--review-dir", tmp_path / "august-review").code == 0


def test_notice_of_another_base(before: Path, release: Path, tmp_path: Path) -> None:
    change(release, series__first=None, series__previous="../../may", protection__base=10, **LATER)
    (notice,) = [text for text in publish(one_table(release), tmp_path / "out").notices if "drawn anew" in text]
    assert "A count of 5 drawn anew" in notice and "with probability 0.50, which proves 1 to 9" in notice


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"series__id": "another"}, "is of the series 'benefits-small-areas'"),
        ({"release__reference_date": "2026-05-31"}, "of the same reference date, 2026-05-31"),
        ({"release__reference_date": "2026-02-28"}, "of a later date, 2026-05-31"),
        ({"series__previous": "../../june"}, "june, is no release folder"),
        ({"series__previous": "../source"}, "source, is no release folder"),
    ],
)  # fmt: skip
def test_a_release_before_that_cannot_be(
    before: Path, release: Path, tmp_path: Path, parts: dict[str, object], words: str
) -> None:
    change(release, series__first=None, series__previous="../../may", **LATER)
    assert words in refused(one_table(change(release, **parts)), tmp_path / "august")


def test_two_reasons_at_once(before: Path, release: Path, tmp_path: Path) -> None:
    change(release, series__first=None, series__previous="../../may", series__id="another")
    assert len(refused(one_table(release), tmp_path / "out").splitlines()) == 2


def test_a_damaged_manifest_is_no_release(before: Path, release: Path, tmp_path: Path) -> None:
    """Neither a release before nor a neighbour: a bare format says nothing of a series."""
    (before / "manifest.json").write_text(json.dumps({"format": "smallarea release 1"}))
    change(release, series__first=None, series__previous="../../may", **LATER)
    assert "may, is no release folder" in refused(one_table(release), tmp_path / "august")
    change(release, series__first=True, series__previous=None)
    publish(release, tmp_path / "august")
