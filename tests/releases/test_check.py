"""The check finds nothing in a whole release, and whatever is wrong in one that is not."""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_release import KEY, Made, rounded_tables, summed, write_release

from common.faults import InputError
from releases.check import check_release
from sdc.findings import Audit
from sdc.tables import LOW, SHOWN, SUPPRESSED, Method

BESIDE = "true-beside-published-sex.csv"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole release in `out` and its review pack in `review`."""
    folder = tmp_path_factory.mktemp("made")
    write_release(folder / "out", folder / "review")
    return folder


@pytest.fixture
def out(made: Path, tmp_path: Path) -> Path:
    """A copy of the release that may be spoiled, with its review pack beside it."""
    shutil.copytree(made / "out", tmp_path / "out")
    shutil.copytree(made / "review", tmp_path / "review")
    return tmp_path / "out"


def listed_anew(out: Path) -> None:
    """Bring the manifest's list up to the files, so that a spoiled file is not found by its hash alone."""
    plain = json.loads((out / "manifest.json").read_text())
    paths = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    plain["files"] = [
        {"path": path, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)}
        for path in paths
        if path != "manifest.json" and (raw := (out / path).read_bytes()) is not None
    ]
    (out / "manifest.json").write_text(json.dumps(plain))


def found(audit: Audit) -> set[tuple[str, str]]:
    """Kind and file of everything that makes the release unsafe."""
    return {
        (finding.kind, finding.table)
        for finding in audit.findings
        if finding.severity in ("contradiction", "disclosure")
    }


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def change_zip(path: Path, part: str, old: str, new: str) -> None:
    """Replace text in one part of a zip archive; the other parts and their order stay."""
    with zipfile.ZipFile(path) as archive:
        parts = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in parts:
            if info.filename == part:
                assert old.encode() in content
                content = content.replace(old.encode(), new.encode(), 1)
            archive.writestr(info, content)


class TestWhole:
    def test_nothing_is_found(self, made: Path) -> None:
        audit = check_release(made / "out", made / "review")
        assert audit.findings == ()
        assert audit.safe
        assert any("theorem" in text for text in audit.checked)

    def test_without_the_review_folder(self, made: Path) -> None:
        audit = check_release(made / "out")
        assert audit.findings == ()
        assert any("review" in text for text in audit.not_checked)

    def test_every_finding_at_once(self, out: Path) -> None:
        (out / "stray.txt").write_text("")
        change(out / "index.html", 'lang="en-GB"', 'lang="cy"')
        change(out / "tables" / "sex.csv", "oa,E00000001,f,5,", "oa,E00000001,f,6,")
        assert {("unlisted file", "stray.txt"), ("site", "index.html"), ("changed file", "tables/sex.csv")} < found(
            check_release(out)
        )


class TestNoRelease:
    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="is no folder"):
            check_release(tmp_path / "nothing")

    def test_no_manifest(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"holds no manifest\.json"):
            check_release(tmp_path)

    @pytest.mark.parametrize("text", ["{", "[]", '{"format": "another"}', '"smallarea release 1"'])
    def test_another_manifest(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(InputError):
            check_release(tmp_path)

    def test_no_review_folder(self, out: Path) -> None:
        with pytest.raises(InputError, match="is no folder"):
            check_release(out, out.parent / "nothing")


# --- The manifest -------------------------------------------------------------------------------


def manifest_with(**changes: object) -> Callable[[Path], None]:
    def spoil(out: Path) -> None:
        plain = json.loads((out / "manifest.json").read_text())
        for key, value in changes.items():
            if value is None:
                del plain[key]
            else:
                plain[key] = value
        (out / "manifest.json").write_text(json.dumps(plain))

    return spoil


MANIFESTS: dict[str, Callable[[Path], None]] = {
    "key missing": manifest_with(key_id=None),
    "type": manifest_with(software=[]),
    "status": manifest_with(status="draft"),
    "label": manifest_with(label="national treasure"),
    "population": manifest_with(population="cats"),
    "date": manifest_with(reference_date="31/05/2026"),
    "dates turned": manifest_with(extract_date="2026-05-01"),
    "next publication": manifest_with(next_publication="2026-11-17"),
    "previous itself": manifest_with(previous="made-2026-05"),
    "fingerprint": manifest_with(fingerprints={"specification": "no", "inputs": {}}),
    "method": manifest_with(method={"name": "controlled-rounding", "base": 5}),
    "base": manifest_with(method={"name": "controlled-rounding", "base": True, "min_count": 5}),
    "areas": manifest_with(areas={"levels": ["oa"], "units": {}}),
    "units": manifest_with(areas={"levels": ["oa", "lsoa", "lad"], "units": {"oa": 7, "lsoa": 3, "lad": 1}}),
    "no tables": manifest_with(tables=[]),
    "path": manifest_with(files=[{"path": "../secret", "sha256": "0" * 64, "bytes": 1}]),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest(out: Path, name: str) -> None:
    MANIFESTS[name](out)
    assert ("manifest", "manifest.json") in found(check_release(out))


def test_cells_counted_wrongly(out: Path) -> None:
    change(out / "manifest.json", '"shown": 30', '"shown": 31')
    assert found(check_release(out)) == {("manifest", "manifest.json")}


# --- Files --------------------------------------------------------------------------------------


class TestFiles:
    def test_missing(self, out: Path) -> None:
        (out / "assets" / "a.svg").unlink()
        assert ("missing file", "assets/a.svg") in found(check_release(out))

    def test_changed_with_the_same_size(self, out: Path) -> None:
        change(out / "assets" / "a.svg", "svg", "gvs")
        assert found(check_release(out)) == {("changed file", "assets/a.svg")}

    def test_the_key_under_any_name(self, out: Path) -> None:
        (out / "assets" / "photo.png").write_bytes(KEY + b"\n")
        listed_anew(out)
        assert found(check_release(out)) == {("key file", "assets/photo.png")}

    def test_a_review_pack(self, out: Path) -> None:
        shutil.copy(out.parent / "review" / "summary.json", out / "assets" / "notes.json")
        listed_anew(out)
        assert found(check_release(out)) == {("review pack", "assets/notes.json")}

    def test_true_counts(self, out: Path) -> None:
        shutil.copy(out.parent / "review" / BESIDE, out / "assets" / "sex.csv")
        listed_anew(out)
        assert found(check_release(out)) == {("forbidden column", "assets/sex.csv")}

    def test_hidden_and_staging(self, out: Path) -> None:
        (out / ".out.smallarea-staging").mkdir()
        assert found(check_release(out)) == {("hidden file", ".out.smallarea-staging")}

    def test_link(self, out: Path) -> None:
        (out / "link").symlink_to("/etc")
        assert found(check_release(out)) == {("link", "link")}

    def test_executable(self, out: Path) -> None:
        (out / "index.html").chmod(0o755)
        assert found(check_release(out)) == {("mode", "index.html")}

    def test_private_kind(self, out: Path) -> None:
        (out / "RELEASE.toml").write_text("")
        listed_anew(out)
        assert found(check_release(out)) == {("private file", "RELEASE.toml")}

    def test_forbidden_column_of_a_geopackage(self, out: Path) -> None:
        import sqlite3

        (out / "areas").mkdir()
        with sqlite3.connect(out / "areas" / "a #1.gpkg") as database:
            database.execute("CREATE TABLE gpkg_contents (table_name TEXT)")
            database.execute("INSERT INTO gpkg_contents VALUES ('oa')")
            database.execute("CREATE TABLE oa (code TEXT, true INTEGER)")
        database.close()
        listed_anew(out)
        assert found(check_release(out)) == {("forbidden column", "areas/a #1.gpkg")}


# --- Tables -------------------------------------------------------------------------------------


def sex(old: str, new: str) -> Callable[[Path], None]:
    return lambda out: change(out / "tables" / "sex.csv", old, new)


TABLES: dict[str, tuple[Callable[[Path], None], str]] = {
    "another column": (sex("value,marker", "value,marker,status"), "columns"),
    "another order of columns": (sex("area_level,area", "area,area_level"), "columns"),
    "a byte order mark": (sex("area_level", "\ufeffarea_level"), "columns"),
    "a row too short": (sex("oa,E00000001,f,5,", "oa,E00000001,f"), "columns"),
    "a row missing": (sex("oa,E00000002,m,0,\n", ""), "rows"),
    "a row twice": (sex("oa,E00000002,m,0,\n", "oa,E00000002,m,0,\noa,E00000002,m,0,\n"), "rows"),
    "an area that is not in the tree": (sex("oa,E00000002,m", "oa,E00000009,m"), "rows"),
    "an area on another level": (sex("oa,E00000002,m", "lsoa,E00000002,m"), "rows"),
    "a category that is not in the list": (sex("oa,E00000002,m", "oa,E00000002,q"), "rows"),
    "rows in another order": (
        sex("oa,E00000002,m,0,\noa,E00000002,n,0,\n", "oa,E00000002,n,0,\noa,E00000002,m,0,\n"),
        "order",
    ),
    "a fraction": (sex("E00000001,f,5,", "E00000001,f,5.0,"), "value"),
    "below zero": (sex("E00000001,f,5,", "E00000001,f,-5,"), "value"),
    "a huge number": (sex("E00000001,f,5,", "E00000001,f,90071992547409930,"), "value"),
    "no value and no marker": (sex("E00000001,f,5,", "E00000001,f,,"), "value"),
    "value and marker": (sex("E00000001,f,5,", "E00000001,f,5,c"), "marker"),
    "a marker of another list": (sex("E00000001,f,5,", "E00000001,f,,k"), "marker"),
    "no multiple": (sex("E00000001,f,5,", "E00000001,f,6,"), "multiple"),
    "not additive": (sex("E00000001,f,5,", "E00000001,f,10,"), "additivity"),
}


@pytest.mark.parametrize("name", TABLES)
def test_table(out: Path, name: str) -> None:
    spoil, kind = TABLES[name]
    spoil(out)
    listed_anew(out)
    assert (kind, "tables/sex.csv") in found(check_release(out))


def test_additivity_over_areas_names_the_area(out: Path) -> None:
    """One LSOA's categories still add up, but no longer to its output areas' sums."""
    change(
        out / "tables" / "sex.csv",
        "lsoa,E01000001,f,10,\nlsoa,E01000001,m,5,",
        "lsoa,E01000001,f,5,\nlsoa,E01000001,m,10,",
    )
    listed_anew(out)
    cells = {finding.cell for finding in check_release(out).findings if finding.kind == "additivity"}
    assert {"lsoa E01000001, sex f", "lsoa E01000001, sex m"} <= cells


def test_one_figure_one_value(tmp_path: Path) -> None:
    benefit, by_sex, _ = rounded_tables()
    moved = by_sex.shown[0].copy()[:, :-1]
    moved[0, 0] += 5
    spoiled = Made(id="sex", dimensions=("sex",), true=by_sex.true, shown=summed(moved))
    write_release(tmp_path / "out", tables=(benefit, spoiled))
    audit = check_release(tmp_path / "out")
    assert found(audit) == {("linked", "tables/sex.csv")}
    assert {finding.cell for finding in audit.findings} == {"oa E00000001", "lsoa E01000001", "lad E08000001"}


def test_a_crossing_must_agree_with_its_margin(tmp_path: Path) -> None:
    by_sex = rounded_tables()[1]
    crossed = by_sex.shown[0][:, :-1]
    # benefit by sex in the order jsa f, jsa m, jsa n, uc f, …: all in one benefit, f and m exchanged in one area.
    finest = np.hstack([np.zeros_like(crossed), crossed])
    finest[1, [3, 4]] = finest[1, [4, 3]]
    crossing = Made(id="both", dimensions=("benefit", "sex"), true=summed(finest), shown=summed(finest))
    write_release(tmp_path / "out", tables=(by_sex, crossing))
    assert found(check_release(tmp_path / "out")) == {("linked", "tables/both.csv")}


# --- Formats beside the CSV ---------------------------------------------------------------------


class TestParquet:
    def spoil(self, out: Path, change_table: Callable[[pa.Table], pa.Table]) -> set[tuple[str, str]]:
        path = out / "tables" / "sex.parquet"
        pq.write_table(change_table(pq.read_table(path)), path)
        listed_anew(out)
        return found(check_release(out))

    def test_another_value(self, out: Path) -> None:
        def spoil(table: pa.Table) -> pa.Table:
            values = table["value"].to_pylist()
            values[3] += 5
            return table.set_column(3, "value", pa.array(values, pa.int64()))

        assert self.spoil(out, spoil) == {("parquet", "tables/sex.parquet")}

    def test_values_as_doubles(self, out: Path) -> None:
        spoiled = self.spoil(out, lambda table: table.set_column(3, "value", table["value"].cast(pa.float64())))
        assert spoiled == {("parquet", "tables/sex.parquet")}

    def test_a_column_more(self, out: Path) -> None:
        spoiled = self.spoil(out, lambda table: table.append_column("ckey", table["value"]))
        assert spoiled == {("parquet", "tables/sex.parquet"), ("forbidden column", "tables/sex.parquet")}

    def test_fewer_rows(self, out: Path) -> None:
        assert self.spoil(out, lambda table: table.slice(1)) == {("parquet", "tables/sex.parquet")}


CSVW: dict[str, tuple[str, str]] = {
    "no JSON": ('"@context"', "@context"),
    "another context": ("http://www.w3.org/ns/csvw", "http://example.org/"),
    "another url": ('"url": "sex.csv"', '"url": "benefit.csv"'),
    "another column": ('"titles": [\n          "sex"', '"titles": [\n          "gender"'),
    "another datatype": ('"base": "integer"', '"base": "string"'),
    "a format that does not fit": ('"format": "f|', '"format": "q|'),
    "another primary key": ('"primaryKey": [\n      "area_level"', '"primaryKey": [\n      "marker"'),
    "another method": ('"name": "controlled-rounding"', '"name": "conventional-rounding"'),
    "a private parameter": ('"min_count": 5', '"min_count": 5, "seed": 1'),
    "another parent": ("[0, 0, 1, 1, 2, 2]", "[0, 0, 0, 0, 2, 2]"),
    "codes out of order": ('["E01000001", "E01000002"', '["E01000002", "E01000001"'),
}


@pytest.mark.parametrize("name", CSVW)
def test_csvw(out: Path, name: str) -> None:
    path = out / "tables" / "sex.csv-metadata.json"
    plain = path.read_text()
    old, new = CSVW[name]
    if old not in plain:  # the writer's line breaks are its own affair
        old, new = " ".join(old.split()).replace("[ ", "["), " ".join(new.split()).replace("[ ", "[")
    change(path, old, new)
    listed_anew(out)
    assert ("metadata", "tables/sex.csv-metadata.json") in found(check_release(out))


CELL = '<table:table-cell table:style-name="Figures" office:value-type="float" office:value="5">'
WORKBOOKS: dict[str, tuple[str, str, str, str]] = {
    "ods: another figure": (".ods", "content.xml", 'office:value="5"', 'office:value="10"'),
    "ods: a marker instead": (
        ".ods",
        "content.xml",
        f"{CELL}<text:p>5</text:p>",
        '<table:table-cell office:value-type="string"><text:p>[c]</text:p>',
    ),
    "ods: formula": (".ods", "content.xml", CELL, CELL.replace(" office", ' table:formula="of:=5" office', 1)),
    "ods: merged": (
        ".ods",
        "content.xml",
        CELL,
        CELL.replace(" office", ' table:number-columns-spanned="2" office', 1),
    ),
    "ods: empty cell": (".ods", "content.xml", f"{CELL}<text:p>5</text:p></table:table-cell>", "<table:table-cell/>"),
    "ods: another code": (".ods", "content.xml", "E00000003", "E00000004"),
    "ods: headings exchanged": (".ods", "content.xml", "Female (claims)", "Male (claims)"),
    "ods: sheet renamed": (".ods", "content.xml", 'table:name="Cover"', 'table:name="Front"'),
    "ods: not marked up": (".ods", "content.xml", "table:database-range ", "table:database-rage "),
    "ods: markup of other cells": (".ods", "content.xml", ".$A$1:", ".$A$2:"),
    "ods: no header": (".ods", "content.xml", 'table:contains-header="true"', 'table:contains-header="false"'),
    "ods: no title": (".ods", "meta.xml", "<dc:title>", "<dc:subtitle>"),
    "ods: another language": (".ods", "meta.xml", "en-GB", "en-US"),
    "ods: another language of the text": (".ods", "styles.xml", 'fo:country="GB"', 'fo:country="US"'),
    "ods: another type": (".ods", "mimetype", "spreadsheet", "presentation"),
    "ods: broken XML": (".ods", "content.xml", "</table:table>", ""),
    "xlsx: another code": (".xlsx", "xl/sharedStrings.xml", "E00000001", "E00000004"),
    "xlsx: sheet renamed": (".xlsx", "xl/workbook.xml", 'name="Cover"', 'name="Front"'),
}


@pytest.mark.parametrize("name", WORKBOOKS)
def test_workbook(out: Path, name: str) -> None:
    ending, part, old, new = WORKBOOKS[name]
    path = out / "tables" / f"sex{ending}"
    if name == "ods: no title":
        change_zip(path, part, "</dc:title>", "</dc:subtitle>")
    if name == "ods: markup of other cells":
        with zipfile.ZipFile(path) as archive:
            text = archive.read(part).decode()
        start = text.index("target-range-address=")
        old = text[start : text.index(":", start)]
        new = old[:-1] + str((int(old[-1]) + 1) % 10)
    change_zip(path, part, old, new)
    listed_anew(out)
    kinds = {kind for kind, file in found(check_release(out)) if file == f"tables/sex{ending}"}
    assert kinds & {"workbook", "workbook figure"}


def test_another_figure_in_an_xlsx_workbook(out: Path) -> None:
    path = out / "tables" / "sex.xlsx"
    with zipfile.ZipFile(path) as archive:
        sheet = max(name for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))
    change_zip(path, sheet, '<c r="F11" s="8"><v>20</v>', '<c r="F11" s="8"><v>25</v>')
    listed_anew(out)
    audit = check_release(out)
    assert found(audit) == {("workbook figure", "tables/sex.xlsx")}
    assert [finding.cell for finding in audit.findings] == ["oa E00000005, sex Total"]


# --- The site -----------------------------------------------------------------------------------


SITES: dict[str, tuple[str, str, str]] = {
    "no language": ("index.html", ' lang="en-GB"', ""),
    "a link to nothing": ("index.html", "pages/table.html", "pages/other.html"),
    "a link out of the folder": ("index.html", "pages/table.html", "../secret.html"),
    "a link to a place that is not there": ("index.html", "#main", "#elsewhere"),
    "an address from the root": ("index.html", 'src="assets', 'src="/assets'),
    "a script from elsewhere": (
        "pages/table.html",
        "</body>",
        '<script src="https://cdn.example.org/a.js"></script></body>',
    ),
    "a script without a scheme": (
        "pages/table.html",
        "</body>",
        '<script src="//cdn.example.org/a.js"></script></body>',
    ),
    "a style sheet from elsewhere": ("index.html", 'href="assets', 'href="http://example.org/assets'),
    "a picture from elsewhere": ("index.html", "<img ", '<img srcset="a.svg 1x, https://example.org/b.svg 2x" '),
    "a background from elsewhere": ("assets/site.css", "url(a.svg)", "url(https://example.org/a.svg)"),
    "a font from elsewhere": ("assets/site.css", "body", '@import "https://example.org/font.css"; body'),
}


@pytest.mark.parametrize("name", SITES)
def test_site(out: Path, name: str) -> None:
    file, old, new = SITES[name]
    change(out / file, old, new)
    listed_anew(out)
    assert found(check_release(out)) == {("site", file)}


def test_no_home_page(out: Path) -> None:
    (out / "index.html").unlink()
    listed_anew(out)
    assert found(check_release(out)) == {("site", "index.html")}


# --- The review folder --------------------------------------------------------------------------


class TestReview:
    def check(self, out: Path) -> set[tuple[str, str]]:
        return found(check_release(out, out.parent / "review"))

    def test_open_to_others(self, out: Path) -> None:
        (out.parent / "review").chmod(0o755)
        (out.parent / "review" / "summary.json").chmod(0o644)
        assert self.check(out) == {("mode", "review"), ("mode", "review/summary.json")}

    def test_of_another_release(self, out: Path) -> None:
        change(out.parent / "review" / "summary.json", "made-2026-05", "made-2026-02")
        assert self.check(out) == {("review", "review/summary.json")}

    def test_of_another_manifest(self, out: Path) -> None:
        change(out / "manifest.json", '"smallarea": "0.1.0"', '"smallarea": "0.1.1"')
        assert self.check(out) == {("review", "review/summary.json")}

    def test_no_summary(self, out: Path) -> None:
        (out.parent / "review" / "summary.json").unlink()
        assert self.check(out) == {("review", "review/summary.json")}

    def test_another_published_value(self, out: Path) -> None:
        change(out.parent / "review" / BESIDE, "oa,E00000001,f,5,5,", "oa,E00000001,f,5,0,")
        assert self.check(out) == {("review", f"review/{BESIDE}")}

    def test_another_marker(self, out: Path) -> None:
        change(out.parent / "review" / BESIDE, "oa,E00000001,f,5,5,,0", "oa,E00000001,f,5,5,c,0")
        assert self.check(out) == {("review", f"review/{BESIDE}")}

    @pytest.mark.parametrize("difference", ["1", "-0", "", "none"])
    def test_another_difference(self, out: Path, difference: str) -> None:
        change(out.parent / "review" / BESIDE, "oa,E00000001,f,5,5,,0", f"oa,E00000001,f,5,5,,{difference}")
        assert self.check(out) == {("review", f"review/{BESIDE}")}

    def test_markers_have_neither_value_nor_difference(self, tmp_path: Path) -> None:
        by_sex = rounded_tables()[1]
        markers = tuple(np.full(values.shape, SHOWN, np.int8) for values in by_sex.shown)
        markers[0][4, 0] = SUPPRESSED
        shown = tuple(
            np.where(marked == SHOWN, values, 0) for values, marked in zip(by_sex.shown, markers, strict=True)
        )
        table = Made(id="sex", dimensions=("sex",), true=by_sex.true, shown=shown, markers=markers)
        write_release(tmp_path / "out", tmp_path / "review", tables=(table,))
        assert found(check_release(tmp_path / "out", tmp_path / "review")) == set()

    def test_true_counts_that_do_not_add_up_and_never_their_values(self, out: Path) -> None:
        change(out.parent / "review" / BESIDE, "oa,E00000001,f,5,5,,0", "oa,E00000001,f,7,5,,-2")
        audit = check_release(out, out.parent / "review")
        assert found(audit) == {("review", f"review/{BESIDE}")}
        assert not any(mark in finding.witness for finding in audit.findings for mark in "0123456789")

    def test_an_error_of_a_whole_base(self, tmp_path: Path) -> None:
        benefit, by_sex, _ = rounded_tables()
        far = by_sex.true[0][:, :-1].copy()
        far[0] = [0, 9, 0]  # shown 5, 5, 0
        spoiled = Made(id="sex", dimensions=("sex",), true=summed(far), shown=by_sex.shown)
        write_release(tmp_path / "out", tmp_path / "review", tables=(benefit, spoiled))
        audit = check_release(tmp_path / "out", tmp_path / "review")
        assert "oa E00000001, sex f" in {finding.cell for finding in audit.findings}

    def test_true_totals_differ_between_tables(self, tmp_path: Path) -> None:
        benefit, by_sex, _ = rounded_tables()
        more = by_sex.true[0][:, :-1].copy()
        more[0] = [6, 4, 0]
        spoiled = Made(id="sex", dimensions=("sex",), true=summed(more), shown=by_sex.shown)
        write_release(tmp_path / "out", tmp_path / "review", tables=(benefit, spoiled))
        audit = check_release(tmp_path / "out", tmp_path / "review")
        assert found(audit) == {("review", f"review/{BESIDE}")}


# --- Other methods ------------------------------------------------------------------------------


def test_conventional_rounding_to_five_never_keeps_the_promise(tmp_path: Path) -> None:
    true = rounded_tables()[0].true
    shown = tuple((2 * counts + 5) // 10 * 5 for counts in true)
    table = Made(id="benefit", dimensions=("benefit",), true=true, shown=shown)
    method = Method(name="conventional-rounding", base=5, min_count=5)
    write_release(tmp_path / "out", tmp_path / "review", tables=(table,), method=method)
    audit = check_release(tmp_path / "out", tmp_path / "review")
    assert found(audit) == {("narrow", "tables/benefit.csv"), ("pinned", "tables/benefit.csv")}
    assert any("propagation" in text for text in audit.checked)


class TestExceptions:
    """Conventional rounding leaks; an exception in force turns what the attack finds into warnings."""

    def release(self, out: Path, exceptions: object) -> Audit:
        true = rounded_tables()[0].true
        shown = tuple((2 * counts + 5) // 10 * 5 for counts in true)
        table = Made(id="benefit", dimensions=("benefit",), true=true, shown=shown)
        write_release(out, tables=(table,), method=Method(name="conventional-rounding", base=5, min_count=5))
        plain = json.loads((out / "manifest.json").read_text())
        (out / "manifest.json").write_text(json.dumps({**plain, "exceptions": exceptions}))
        return check_release(out)

    def test_in_force(self, tmp_path: Path) -> None:
        audit = self.release(tmp_path / "out", [{"rule": "method leaks", "expires": "2026-11-17"}])
        assert audit.safe
        assert {finding.severity for finding in audit.findings if finding.kind == "pinned"} == {"warning"}
        assert any(finding.kind == "exception" and "2026-11-17" in finding.witness for finding in audit.findings)

    def test_expired_the_day_before(self, tmp_path: Path) -> None:
        audit = self.release(tmp_path / "out", [{"rule": "method leaks", "expires": "2026-11-16"}])
        assert not audit.safe
        assert {finding.severity for finding in audit.findings if finding.kind == "pinned"} == {"disclosure"}

    @pytest.mark.parametrize(
        "exceptions", [{}, ["all"], [{"rule": "all", "expires": "2027-01-01"}], [{"rule": "method leaks"}]]
    )
    def test_of_no_known_form(self, tmp_path: Path, exceptions: object) -> None:
        audit = self.release(tmp_path / "out", exceptions)
        assert ("manifest", "manifest.json") in found(audit)
        assert any(finding.severity == "disclosure" for finding in audit.findings)

    def test_a_file_that_others_may_read_is_no_leak_of_the_method(self, tmp_path: Path) -> None:
        self.release(tmp_path / "out", [{"rule": "method leaks", "expires": "2027-01-01"}])
        (tmp_path / "out" / "series.key").write_bytes(b"x" * 40)
        assert any(
            f.severity == "disclosure" and f.kind == "private file" for f in check_release(tmp_path / "out").findings
        )


def test_exact_figures_pin_small_counts(tmp_path: Path) -> None:
    true = rounded_tables()[0].true
    table = Made(id="benefit", dimensions=("benefit",), true=true, shown=true)
    write_release(tmp_path / "out", tables=(table,), method=Method(name="exact", base=1, min_count=5))
    audit = check_release(tmp_path / "out")
    pinned = {finding.cell: finding.interval for finding in audit.findings if finding.kind == "pinned"}
    assert pinned["oa E00000002, benefit jsa"] == (1, 1)
    assert all(1 <= lo <= hi <= 4 for lo, hi in pinned.values())


def test_a_base_below_min_count(tmp_path: Path) -> None:
    table = rounded_tables()[1]
    method = Method(name="controlled-rounding", base=5, min_count=6)
    write_release(tmp_path / "out", tables=(table,), method=method)
    assert found(check_release(tmp_path / "out")) == {("promise", "manifest.json"), ("narrow", "tables/sex.csv")}


def test_markers_are_read_and_compared_in_all_formats(tmp_path: Path) -> None:
    """Random rounding with a zero told as low and one cell suppressed: no number stands there in any format."""
    by_sex = rounded_tables()[1]
    markers = tuple(np.full(values.shape, SHOWN, np.int8) for values in by_sex.shown)
    markers[0][0, 2], markers[0][4, 0] = LOW, SUPPRESSED
    shown = tuple(np.where(marked == SHOWN, values, 0) for values, marked in zip(by_sex.shown, markers, strict=True))
    table = Made(id="sex", dimensions=("sex",), true=by_sex.true, shown=shown, markers=markers)
    write_release(tmp_path / "out", tables=(table,), method=Method(name="controlled-rounding", base=5, min_count=5))
    audit = check_release(tmp_path / "out")
    assert found(audit) == set()
    change(tmp_path / "out" / "tables" / "sex.csv", "E00000001,n,,low", "E00000001,n,,z")
    listed_anew(tmp_path / "out")
    kinds = found(check_release(tmp_path / "out"))
    assert {
        ("parquet", "tables/sex.parquet"),
        ("workbook figure", "tables/sex.ods"),
        ("workbook figure", "tables/sex.xlsx"),
    } < kinds


def test_an_unknown_method_is_not_called_safe(out: Path) -> None:
    manifest_with(method={"name": "magic", "base": 5, "min_count": 5})(out)
    audit = check_release(out)
    assert ("method", "manifest.json") in found(audit)
    assert any("attack" in text for text in audit.not_checked)


def test_many_findings_of_a_kind_are_counted(tmp_path: Path) -> None:
    true = rounded_tables()[1].true
    table = Made(id="sex", dimensions=("sex",), true=true, shown=tuple(values + 1 for values in true))
    write_release(tmp_path / "out", tables=(table,))
    audit = check_release(tmp_path / "out")
    told = [finding for finding in audit.findings if finding.kind == "multiple"]
    assert len(told) == 20
    assert int(str(audit.figures["multiple in tables/sex.csv"])) > 20


def test_nothing_is_changed(out: Path) -> None:
    before = {path: os.stat(path).st_mtime_ns for path in out.rglob("*")}
    check_release(out, out.parent / "review")
    assert {path: os.stat(path).st_mtime_ns for path in out.rglob("*")} == before


def test_no_code_of_the_writing_side_is_imported() -> None:
    import subprocess
    import sys

    code = "import sys, releases.check; print([name for name in sys.modules if name.split('.')[0] in " + (
        "('reports', 'claimants', 'geography') or name in ('sdc.tables', 'sdc.network', 'releases.publish.manifest')"
        " or name.startswith(('sdc.rounding', 'sdc.attack'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"
