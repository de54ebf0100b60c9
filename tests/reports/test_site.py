"""The public site: complete, self-contained, true to the published table, deterministic."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from pagescene import make_scene

from reports.maps import write_maps
from reports.site import Download, find_downloads, write_site
from reports.tablepages import MOST_KEY_FIGURES, key_figures, row_order, table_page
from sdc.tables import Method


class Page(HTMLParser):
    """Links, ids, handlers and tables of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.ids, self.handlers, self.tables = [], [], [], []
        self.language, self.cell = "", None
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.links += [named[key] for key in ("href", "src") if key in named]
        self.ids += [named["id"]] if "id" in named else []
        self.handlers += [key for key in named if key.startswith("on")]
        if tag == "html":
            self.language = named.get("lang", "")
        elif tag == "table":
            self.tables.append({"id": named.get("id", ""), "caption": False, "rows": []})
        elif tag == "caption":
            self.tables[-1]["caption"] = True
        elif tag == "tr":
            self.tables[-1]["rows"].append([])
        elif tag in ("th", "td"):
            self.cell = ""
            if tag == "th":
                assert named.get("scope") in ("row", "col")

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag):
        if tag in ("th", "td"):
            self.tables[-1]["rows"][-1].append(self.cell)
            self.cell = None


@pytest.fixture(scope="module")
def scene():
    return make_scene(areas=60, suppressed=True)


@pytest.fixture(scope="module")
def site(scene, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    (folder / "tables").mkdir()
    for table in scene.tables:
        for ending in ("csv", "ods", "parquet", "csv-metadata.json"):
            (folder / "tables" / f"{table.id}.{ending}").write_bytes(b"x" * 1234)
    (folder / "manifest.json").write_text("{}")
    maps = write_maps(scene.facts, scene.tables, scene.boundaries, folder / "maps")
    write_site(folder, scene.facts, scene.tables, maps=maps, downloads=find_downloads(folder, scene.tables))
    return folder


def pages(folder: Path) -> dict[str, Page]:
    return {path.relative_to(folder).as_posix(): Page(path) for path in sorted(folder.rglob("*.html"))}


def test_all_pages_are_there(site) -> None:
    assert sorted(pages(site)) == [
        "downloads.html",
        "index.html",
        "maps.html",
        "methods.html",
        "tables.html",
        "tables/age-sex.html",
        "tables/benefit.html",
    ]


def test_every_link_is_relative_and_leads_somewhere(site) -> None:
    found = pages(site)
    for place, page in found.items():
        for link in page.links:
            if link.startswith(("mailto:", "data:")):
                continue
            assert not re.match(r"[a-z]+:|//?", link), (place, link)
            target, _, anchor = link.partition("#")
            path = ((site / place).parent / target).resolve() if target else site / place
            assert path.is_file(), (place, link)
            if anchor:
                assert anchor in found[path.relative_to(site.resolve()).as_posix()].ids, (place, link)


def test_pages_are_in_british_english_with_unique_ids_and_no_inline_handlers(site) -> None:
    for page in pages(site).values():
        assert page.language == "en-GB"
        assert len(page.ids) == len(set(page.ids))
        assert not page.handlers and "javascript:" not in page.text
        assert all(table["caption"] for table in page.tables)
        assert not re.search(r"\{\{|\{%|Undefined|None\b", page.text)


def test_table_page_shows_what_is_published(site, scene) -> None:
    table = scene.tables[0]
    by_id = {one["id"]: one["rows"] for one in Page(site / "tables" / "benefit.html").tables}
    for level, name in enumerate(table.safe.hierarchy.levels):
        head, *rows = by_id[f"table-{name}"]
        wide = len(table.safe.classification) + 1
        assert head[-1] == "Total" and head[-wide:-1] == [
            table.labels["benefit"][c[0]] for c in table.safe.classification.categories
        ]
        assert len(rows) == table.safe.hierarchy.units[level]
        for unit, row in zip(row_order(table.safe.hierarchy, level), rows, strict=True):
            assert table.safe.hierarchy.codes[level][unit] in row[:2]
            hidden = table.safe.markers[level][unit] != 0
            expected = np.where(hidden, "[c]", [f"{value:,}" for value in table.safe.values[level][unit]])
            assert row[-wide:] == expected.tolist()


def test_rows_are_grouped_by_the_areas_they_lie_in(scene) -> None:
    table = scene.tables[0]
    order = row_order(table.safe.hierarchy, 0)
    above = table.safe.hierarchy.ancestors(0, 3)[order]
    assert sorted(order) == list(range(60)) and np.all(np.diff(above) >= 0)


def test_levels_past_the_limit_are_left_to_the_downloads_and_the_page_says_so(scene, tmp_path) -> None:
    write_site(tmp_path, scene.facts, scene.tables, row_limit=20)
    text = (tmp_path / "tables" / "benefit.html").read_text(encoding="utf-8")
    assert 'id="table-lsoa"' in text and 'id="table-oa"' not in text
    assert "at most 20 areas" in text and "60 output areas" in text


def test_public_pages_tell_theoretical_error_only(site) -> None:
    text = (site / "methods.html").read_text(encoding="utf-8")
    assert "cannot be proven" in text and "cannot be known" not in text
    assert "differs from the true count by less than 5" in text and "the standard deviation above 2.5" in text
    assert "nil, or rounded to nil" in text


def test_the_promise_is_not_made_where_the_base_is_too_small(scene, tmp_path) -> None:
    tables = [
        dataclasses.replace(
            table, safe=dataclasses.replace(table.safe, method=Method(name="controlled-rounding", base=3))
        )
        for table in scene.tables
    ]
    write_site(tmp_path, scene.facts, tables)
    text = (tmp_path / "methods.html").read_text(encoding="utf-8")
    assert "it cannot be proven that" not in text and "does not promise" in text


@pytest.mark.parametrize("method", [Method(name="conventional-rounding"), Method(name="exact", base=1)])
def test_other_methods_have_their_words(scene, tmp_path, method) -> None:
    tables = [dataclasses.replace(table, safe=dataclasses.replace(table.safe, method=method)) for table in scene.tables]
    write_site(tmp_path, scene.facts, tables)
    text = (tmp_path / "methods.html").read_text(encoding="utf-8")
    assert ("from the true count by at most 2" in text) == (method.name == "conventional-rounding")
    assert "worked example" not in text


def test_key_figures_are_of_the_smallest_areas_of_which_there_are_few(scene) -> None:
    table, facts = scene.tables[0], scene.facts
    hierarchy = table.safe.hierarchy
    few = next(level for level, units in enumerate(hierarchy.units) if units <= MOST_KEY_FIGURES)
    figures = key_figures(facts, [table])
    assert few < len(hierarchy.levels) - 1, "the scene must have more levels above"
    assert [figure["text"] for figure in figures[:-1]] == [f"{n:,}" for n in table.safe.values[few][:, -1]]
    assert figures[-1]["text"] == f"{hierarchy.units[0]:,}"


def test_home_shows_the_map_that_tells_most_classes_apart(scene, site, tmp_path) -> None:
    maps = write_maps(scene.facts, scene.tables, scene.boundaries, tmp_path / "maps")
    for best in range(len(maps)):
        told = [dataclasses.replace(one, classes=5 if at == best else 4) for at, one in enumerate(maps)]
        write_site(tmp_path, scene.facts, scene.tables, maps=told)
        figure = re.search(r'<figure class="sa-map"><img src="maps/([^"]+)"', (tmp_path / "index.html").read_text())
        assert figure and figure[1] == maps[best].png


def test_what_is_given_is_escaped(scene, tmp_path) -> None:
    facts = dataclasses.replace(scene.facts, title="Fish & <b>chips</b>", producer='"><script>')
    write_site(tmp_path, facts, scene.tables)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Fish &amp; &lt;b&gt;chips" in text and "<b>chips" not in text and '"><script>' not in text


def test_the_same_input_gives_the_same_bytes(scene, tmp_path) -> None:
    first, second = (write_site(tmp_path / name, scene.facts, scene.tables) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_downloads_go_to_the_table_with_the_longest_fitting_id(tmp_path, scene) -> None:
    (tmp_path / "tables").mkdir()
    tables = [dataclasses.replace(scene.tables[0], id="age"), dataclasses.replace(scene.tables[1], id="age-sex")]
    for name in ("age.csv", "age-sex.csv", "age-sex-2.ods", "age.html", "other.txt"):
        (tmp_path / "tables" / name).write_text("x")
    found = {file.path: file.table for file in find_downloads(tmp_path, tables)}
    assert found == {
        "tables/age.csv": "age",
        "tables/age-sex.csv": "age-sex",
        "tables/age-sex-2.ods": "age-sex",
        "tables/other.txt": "",
    }
    part = Download(path="tables/age-sex-2.ods", size=1, table="age-sex")
    assert "age-sex-2.ods" in part.name and part.kind == "ods"


def test_areas_without_names_have_no_code_column(scene) -> None:
    page = table_page(scene.facts, scene.tables[0])
    smallest = page.levels[-1].table
    assert smallest.row_heads == ("Output area", "Local authority")
    assert page.levels[0].table.row_heads == ("Local authority", "Code")


def test_tables_of_different_methods_are_refused(scene, tmp_path) -> None:
    other = dataclasses.replace(scene.tables[1].safe, method=Method(name="exact", base=1))
    with pytest.raises(ValueError, match="same method"):
        write_site(tmp_path, scene.facts, [scene.tables[0], dataclasses.replace(scene.tables[1], safe=other)])
