"""Where a release stands in its series: the one before must be named and of the series, and its values are kept."""

import itertools
import json
import shutil
import stat
from pathlib import Path

import pytest
from conftest import Published
from small_place import change, command, files, one_table, read_claims, rows_of, write_claims

from common.faults import InputError
from releases.publish.manifest import read_manifest
from releases.publish.pipeline import publish

LATER = {
    "release__reference_date": "2026-08-31",
    "release__extract_date": "2026-12-31",
    "release__publication": "2027-02-16T09:30:00",
    "release__next_publication": "2027-05-18",
}


@pytest.fixture
def before(done: Published, tmp_path: Path) -> Path:
    """A copy of a release of 31 May 2026, and of its review pack."""
    shutil.copytree(done.out, tmp_path / "may")
    shutil.copytree(done.review, tmp_path / "may-review")
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


def shown(out: Path, table: str) -> dict[tuple[str, ...], int]:
    """Published values by level, area and categories."""
    return {tuple(row.values())[:-2]: int(row["value"]) for row in rows_of(out / "tables" / f"{table}.csv")}


def true(review: Path, table: str) -> dict[tuple[str, ...], int]:
    rows = rows_of(review / f"true-beside-published-{table}.csv")
    return {tuple(row.values())[:-4]: int(row["true"]) for row in rows}


def after_may(release: Path, **parts: object) -> Path:
    return change(release, series__first=None, series__previous="../../may", **(LATER | parts))


def test_the_next_quarter_keeps_values(before: Path, release: Path, tmp_path: Path) -> None:
    after_may(release)
    told = publish(release, tmp_path / "august")
    manifest = read_manifest(tmp_path / "august")
    assert manifest is not None and manifest["previous"] == "benefits-small-areas-2026-05-31"
    assert any("keep their values" in notice for notice in told.notices)
    kept = moved = 0
    for table in [one["id"] for one in manifest["tables"]]:
        then, now = shown(before, table), shown(tmp_path / "august", table)
        was, is_ = true(tmp_path / "may-review", table), true(tmp_path / "august-review", table)
        assert then.keys() == now.keys() == was.keys()
        same = [cell for cell in now if was[cell] == is_[cell]]
        listed = {
            tuple(row.values())[:-5]: row["standing"]
            for row in rows_of(tmp_path / "august-review" / f"before-beside-{table}.csv")
        }
        assert {cell for cell in same if now[cell] != then[cell]} == {c for c, s in listed.items() if s == "moved"}
        assert {cell for cell in now if was[cell] != is_[cell]} == {c for c, s in listed.items() if s == "changed"}
        kept += sum(now[cell] == then[cell] for cell in same)
        moved += sum(now[cell] != then[cell] for cell in same)
    assert kept > 4 * moved > 0  # a fifth of these claims changed within the quarter
    assert command("check", tmp_path / "august", "--review-dir", tmp_path / "august-review").code == 0


def test_the_review_pack_tells_what_flips_prove_and_the_release_does_not(
    before: Path, release: Path, tmp_path: Path
) -> None:
    publish(one_table(after_may(release)), tmp_path / "august")
    review = tmp_path / "august-review"
    page = (review / "review.html").read_text(encoding="utf-8")
    assert "The release before" in page and "Share of flips that were changes" in page
    rows = rows_of(review / "flips.csv")
    assert [row["level"] for row in rows] == ["oa", "lsoa", "msoa", "lad"]
    assert all(int(row["alike"]) + int(row["rises"]) + int(row["falls"]) == int(row["cells"]) for row in rows)
    for name in ("flips.csv", "standings.csv", "before-beside-one.csv"):
        assert stat.S_IMODE((review / name).stat().st_mode) == 0o600
    for path in (tmp_path / "august").rglob("*"):
        if path.suffix in (".html", ".json", ".csv"):
            said = path.read_text(encoding="utf-8")
            assert "redrawn" not in said and "keep their value" not in said and "standing" not in said


def test_where_nothing_changed_every_figure_is_the_one_before(before: Path, release: Path, tmp_path: Path) -> None:
    """The same extract once more: a revision that changes nothing."""
    change(release, series__first=None, series__previous="../../may", release__status="revised")
    told = publish(release, tmp_path / "again")
    manifest = read_manifest(tmp_path / "again")
    assert manifest is not None
    for table in manifest["tables"]:
        name = f"tables/{table['id']}.csv"
        assert (before / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert manifest["id"] == "benefits-small-areas-2026-05-31-r1"
    assert manifest["previous"] == "benefits-small-areas-2026-05-31"
    assert not any("provisional" in notice for notice in told.notices)
    assert command("check", tmp_path / "again", "--review-dir", tmp_path / "again-review").code == 0


def test_a_revision_is_drawn_together_with_what_it_revises(before: Path, release: Path, tmp_path: Path) -> None:
    """Ten claims registered late: most figures stay, and a second revision counts on."""
    claims = read_claims(release)
    late = [row | {"person_reference": f"L{number:09d}"} for number, row in enumerate(claims[:400:40])]
    write_claims(release, claims + late)
    change(release, series__first=None, series__previous="../../may")
    told = publish(one_table(release), tmp_path / "revised")
    assert any("revises it, but its status is provisional" in notice for notice in told.notices)
    then, now = shown(before, "sex"), shown(tmp_path / "revised", "one")
    assert then.keys() == now.keys()
    assert sum(then[cell] != now[cell] for cell in now) < 0.3 * len(now)
    change(release, series__previous="../../revised", release__status="revised")
    publish(release, tmp_path / "revised-again")
    manifest = read_manifest(tmp_path / "revised-again")
    assert manifest is not None and manifest["id"] == "benefits-small-areas-2026-05-31-r2"
    page = (tmp_path / "revised-again-review" / "review.html").read_text(encoding="utf-8")
    editions = ["", "-r1", "-r2"]
    for then_, now_ in itertools.pairwise(f"edition benefits-small-areas-2026-05-31{one}" for one in editions):
        assert f"changes of {now_} after {then_} (population claims, date 2026-05-31): no small one is proven" in page


def test_every_edition_of_the_date_is_attacked(before: Path, release: Path, tmp_path: Path) -> None:
    """A second revision without the first release beside it is refused; named elsewhere, it goes on."""
    change(release, series__first=None, series__previous="../../may", release__status="revised")
    publish(one_table(release), tmp_path / "revised")
    (tmp_path / "archive").mkdir()
    shutil.move(before, tmp_path / "archive" / "may")
    change(release, series__previous="../../revised")
    message = refused(release, tmp_path / "again")
    assert "revises benefits-small-areas-2026-05-31, which is not beside it" in message and "series.earlier" in message
    publish(change(release, series__earlier=["../../archive/may"]), tmp_path / "again")


def test_a_release_may_replace_the_one_before_in_its_folder(before: Path, release: Path, tmp_path: Path) -> None:
    publish(one_table(after_may(release)), before)
    manifest = read_manifest(before)
    assert manifest is not None and manifest["previous"] == "benefits-small-areas-2026-05-31"


@pytest.mark.parametrize(
    ("parts", "why", "count", "chance", "proof"),
    [
        ({"protection__base": 10}, "another method, base or min_count", "A count of 5", "0.50", "1 to 9"),
        ({"protection__min_count": 4}, "another method, base or min_count", "A count of 2", "0.48", "1 to 4"),
        ({"series__keep_values": False}, "keep_values is false", "A count of 2", "0.48", "1 to 4"),
    ],
    ids=["base", "min_count", "not-asked"],
)
def test_where_nothing_is_kept_the_reviewer_is_told_why_and_what_it_gives_away(
    before: Path, release: Path, tmp_path: Path, parts: dict[str, object], why: str, count: str, chance: str, proof: str
) -> None:
    shutil.rmtree(tmp_path / "may-review")  # not needed then
    after_may(release, **parts)
    (notice,) = [text for text in publish(one_table(release), tmp_path / "out").notices if "drawn anew" in text]
    # 1 - 0.4² - 0.6² = 0.48: a count of 2 is shown as 5 with probability 0.4.
    assert why in notice and f"{count} drawn anew" in notice and f"probability {chance}, which proves {proof}" in notice
    assert not (tmp_path / "out-review" / "flips.csv").exists()


def test_without_the_review_pack_of_the_release_before(before: Path, release: Path, tmp_path: Path) -> None:
    after_may(release)
    (tmp_path / "may-review").rename(tmp_path / "elsewhere")
    said = refused(one_table(release), tmp_path / "august")
    assert "series.previous_review" in said and "may-review, is not there" in said and "keep_values = false" in said
    publish(change(release, series__previous_review="../../elsewhere"), tmp_path / "august")


def test_the_review_pack_of_another_release(before: Path, release: Path, tmp_path: Path) -> None:
    after_may(release)
    (tmp_path / "may-review" / "summary.json").write_text(json.dumps({"manifest_sha256": "0" * 64}))
    assert "may-review is not the review pack" in refused(one_table(release), tmp_path / "august")


def test_a_published_file_that_was_changed(before: Path, release: Path, tmp_path: Path) -> None:
    after_may(release)
    (before / "tables" / "sex.parquet").write_bytes((before / "tables" / "benefit.parquet").read_bytes())
    assert "tables/sex.parquet of the release before is missing" in refused(one_table(release), tmp_path / "august")


@pytest.mark.parametrize("way", ["value", "row", "gone"])
def test_true_counts_that_do_not_fit_what_was_published(before: Path, release: Path, tmp_path: Path, way: str) -> None:
    after_may(release)
    path = tmp_path / "may-review" / "true-beside-published-sex.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if way == "value":
        parts = lines[1].split(",")
        lines[1] = ",".join([*parts[:-3], str(int(parts[-3]) + 5), *parts[-2:]])
    path.write_text("".join(lines[:-1] if way == "row" else lines), encoding="utf-8")
    if way == "gone":
        path.unlink()
    assert "true-beside-published-sex.csv in the review pack" in refused(one_table(release), tmp_path / "august")


def test_a_first_release_has_no_review_pack_before_it(release: Path, tmp_path: Path) -> None:
    assert "remove previous_review" in refused(change(release, series__previous_review="../x"), tmp_path / "out")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"series__id": "another"}, "is of the series 'benefits-small-areas'"),
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
    change(release, release__reference_date="2026-02-28")
    assert len(refused(one_table(release), tmp_path / "out").splitlines()) == 2


def test_a_damaged_manifest_is_no_release(before: Path, release: Path, tmp_path: Path) -> None:
    """Neither a release before nor a neighbour: a bare format says nothing of a series."""
    (before / "manifest.json").write_text(json.dumps({"format": "smallarea release 1"}))
    change(release, series__first=None, series__previous="../../may", **LATER)
    assert "may, is no release folder" in refused(one_table(release), tmp_path / "august")
    change(release, series__first=True, series__previous=None)
    publish(release, tmp_path / "august")
