"""The public site: static pages in the GOV.UK style, made from published tables and facts alone.

Links are relative, so that the folder works from any server, any address and
straight from a disk.  Nothing is fetched from elsewhere.  The same input
gives the same bytes.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.progress import SILENT, Progress
from reports.derived import DerivedTable
from reports.derivedpages import derived_page
from reports.maps import DrawnMap
from reports.model import ReleaseFacts, ReportTable
from reports.pages import copy_assets, fill_page
from reports.privacynotice import notice_values
from reports.statements import licence_words, protection_statement, rounding_statement, words, zero_meaning
from reports.tablepages import ROW_LIMIT, TablePage, key_figures, table_page
from sdc.tables import Method
from sdc.theory import error_sentences, theoretical_error

__all__ = ["Download", "find_downloads", "write_site"]

MAPS = "maps"
TABLES = "tables"
AREAS = "areas"
ENDING_ORDER = ("ods", "xlsx", "csv", "csv-metadata-json", "parquet", "gpkg", "other")


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that readers may take: `path` from the site's folder, `size` in bytes, `table` blank where it has none."""

    path: str
    size: int
    table: str = ""

    @property
    def kind(self) -> str:
        """Which words of ``pages.toml`` tell what the file is for."""
        ending = "csv-metadata-json" if self.path.endswith(".csv-metadata.json") else self.path.rsplit(".", 1)[-1]
        return ending if ending in words("pages")["format"] else "other"

    @property
    def name(self) -> str:
        """What sort of file it is; parts of a split table carry their file name."""
        told = str(words("pages")["format"][self.kind]["name"])
        stem = self.path.rsplit("/", 1)[-1].split(".", 1)[0]
        return told if stem == self.table and self.kind != "other" else f"{told}: {self.path.rsplit('/', 1)[-1]}"

    @property
    def purpose(self) -> str:
        """What the file is good for."""
        return str(words("pages")["format"][self.kind]["purpose"])


def find_downloads(folder: Path, tables: Sequence[ReportTable | DerivedTable]) -> tuple[Download, ...]:
    """The files in the folders ``tables`` and ``areas`` of a release folder, each with the table it belongs to.

    A file belongs to the table whose id its name starts with, the longest
    such id where one id starts with another; pages are no downloads.
    """
    ids = sorted((table.id for table in tables), key=len, reverse=True)
    found = []
    for path in sorted(file for name in (TABLES, AREAS) for file in (folder / name).glob("*") if file.is_file()):
        if path.suffix == ".html":
            continue
        table = next((one for one in ids if path.name.startswith((f"{one}.", f"{one}-"))), "")
        place = path.relative_to(folder).as_posix()
        found.append(Download(path=place, size=path.stat().st_size, table=table))
    return tuple(sorted(found, key=lambda file: (ENDING_ORDER.index(file.kind), file.path)))


def write_site(
    folder: Path,
    facts: ReleaseFacts,
    tables: Sequence[ReportTable],
    *,
    derived: Sequence[DerivedTable] = (),
    maps: Sequence[DrawnMap] = (),
    downloads: Sequence[Download] = (),
    row_limit: int = ROW_LIMIT,
    manifest: bool = True,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write the pages and their front-end files into `folder`; the paths written.

    Parameters
    ----------
    derived : tables worked out from these and from public files, which have pages of their own behind them.
    maps : what `write_maps` gave; the files lie in ``maps/`` under `folder`.
    downloads : what `find_downloads` gave, once every other file is there.
    row_limit : a level with more areas than this has no table on its page, which says so.
    manifest : whether the folder will hold a ``manifest.json`` to link to.

    Raises
    ------
    ValueError
        There is no table, or tables of one release have different methods.
    """
    site = _Site(facts, tables, derived, maps, downloads, row_limit, manifest, folder)
    written = list(copy_assets(folder / "assets"))
    pages: dict[str, tuple[str, dict[str, Any]]] = {
        "index.html": ("index.html", {"figures": key_figures(facts, tables), "map": site.most_telling_map()}),
        "tables.html": ("tables.html", {}),
        "methods.html": ("methods.html", _method_words(facts, tables[0])),
        "downloads.html": ("downloads.html", {"groups": site.groups()}),
    }
    if maps:
        pages["maps.html"] = ("maps.html", {})
    if facts.notice is not None:
        pages["privacy.html"] = ("privacy.html", notice_values(facts.notice))
    for page in site.table_pages:
        pages[page.path] = ("table.html", {"table": page})
    progress.step("writing pages", len(pages))
    for place, (template, values) in pages.items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fill_page(template, **site.common(place), **values), encoding="utf-8", newline="\n")
        written.append(path)
        progress.advance()
    return tuple(written)


@dataclass(frozen=True, kw_only=True)
class MapOnPage:
    """A map as the pages show it; paths are from the site's folder."""

    id: str
    title: str
    alt: str
    png: str
    svg: str
    width: int
    height: int
    png_size: int
    svg_size: int
    attribution: str
    table_path: str
    on_page: bool


class _Site:
    """What every page of one site shares."""

    def __init__(
        self,
        facts: ReleaseFacts,
        tables: Sequence[ReportTable],
        derived: Sequence[DerivedTable],
        maps: Sequence[DrawnMap],
        downloads: Sequence[Download],
        row_limit: int,
        manifest: bool,
        folder: Path,
    ) -> None:
        if not tables or any(table.safe.method != tables[0].safe.method for table in tables):
            raise ValueError("tables must be at least one, all protected by the same method")
        self.facts, self.downloads, self.row_limit, self.manifest = facts, downloads, row_limit, manifest
        self.method: Method = tables[0].safe.method
        shown = {table.id: _levels_shown(table, row_limit) for table in tables}
        self.maps = [_map_on_page(one, folder / MAPS, one.level in shown[one.table]) for one in maps]
        self.map_classes = [one.classes for one in maps]
        linked = {(one.table, one.level): page for one, page in zip(maps, self.maps, strict=True)}
        self.table_pages: list[TablePage] = [
            table_page(facts, table, row_limit, [file for file in downloads if file.table == table.id], linked)
            for table in tables
        ]
        self.table_pages += [
            derived_page(facts, one, row_limit, [file for file in downloads if file.table == one.id]) for one in derived
        ]
        lines = (*facts.attributions, *(one.attribution for one in maps))
        self.attributions = tuple(dict.fromkeys(line for line in lines if line))

    def common(self, place: str) -> dict[str, Any]:
        """What the base template needs for the page at `place`."""
        root, told, facts = "../" * place.count("/"), words("pages"), self.facts
        return {
            "facts": facts,
            "root": root,
            "navigation": self._navigation(place, root),
            "crumbs": self._crumbs(place, root),
            "licence": licence_words(facts.licence)[0],
            "attributions": self.attributions,
            "status": words("metadata")["status"][facts.status],
            "status_told": told["status_told"][facts.status],
            "population": words("metadata")["population"][facts.population],
            "rounding": rounding_statement(self.method),
            "difference": 2 * self.method.base,
            "tables": self.table_pages,
            "kinds": {page.kind for page in self.table_pages},
            "maps": self.maps,
            "row_limit": self.row_limit,
            "manifest": self.manifest,
        }

    def most_telling_map(self) -> MapOnPage | None:
        """The map that tells most classes apart; of equals the first, which has the smallest areas."""
        best = max(self.map_classes, default=0)
        return self.maps[self.map_classes.index(best)] if self.maps else None

    def groups(self) -> list[dict[str, Any]]:
        """The downloads, a group per table and one for files that belong to none."""
        groups = [
            {"title": page.title, "files": page.downloads, "id": f"files-{page.id}"}
            for page in self.table_pages
            if page.downloads
        ]
        others = [file for file in self.downloads if not file.table]
        return groups + ([{"title": words("pages")["other_files"], "files": others, "id": "files"}] if others else [])

    def _navigation(self, place: str, root: str) -> list[dict[str, Any]]:
        names = ["index", "tables", *(["maps"] if self.maps else []), "methods", "downloads"]
        names += ["privacy"] if self.facts.notice is not None else []
        section = "tables" if place.startswith(f"{TABLES}/") else place.removesuffix(".html")
        return [
            {
                "href": f"{root}{name}.html",
                "text": words("pages")["nav"][name],
                "current": place == f"{name}.html",
                "active": section == name,
            }
            for name in names
        ]

    def _crumbs(self, place: str, root: str) -> list[dict[str, str]]:
        if not place.startswith(f"{TABLES}/"):
            return []
        nav = words("pages")["nav"]
        title = next(page.title for page in self.table_pages if page.path == place)
        return [
            {"href": f"{root}index.html", "text": nav["index"]},
            {"href": f"{root}tables.html", "text": nav["tables"]},
            {"text": title},
        ]


def _levels_shown(table: ReportTable, row_limit: int) -> set[str]:
    hierarchy = table.safe.hierarchy
    return {level for level, units in zip(hierarchy.levels, hierarchy.units, strict=True) if units <= row_limit}


def _map_on_page(drawn: DrawnMap, folder: Path, on_page: bool) -> MapOnPage:
    png, svg = folder / drawn.png, folder / drawn.svg
    # Width and height stand at a fixed place at the head of every PNG file (PNG specification, 11.2.1).
    width, height = struct.unpack(">II", png.read_bytes()[16:24])
    return MapOnPage(
        id=drawn.png.removesuffix(".png"),
        title=drawn.title,
        alt=drawn.alt,
        png=f"{MAPS}/{drawn.png}",
        svg=f"{MAPS}/{drawn.svg}",
        width=width,
        height=height,
        png_size=png.stat().st_size,
        svg_size=svg.stat().st_size,
        attribution=drawn.attribution,
        table_path=f"{TABLES}/{drawn.table}.html#{drawn.level}" if on_page else "downloads.html",
        on_page=on_page,
    )


def _method_words(facts: ReleaseFacts, table: ReportTable) -> dict[str, Any]:
    """What the page on methods says of the method: theoretical error only, nothing measured against the truth."""
    method, hierarchy = table.safe.method, table.safe.hierarchy
    base = method.base
    error = theoretical_error(method)
    down, up = error.below, error.above
    return {
        "method": method,
        "beside": _beside(facts),
        "base": base,
        "error": error.largest,
        "error_told": error_sentences(error),
        "protection": protection_statement(method),
        "promise": method.name == "controlled-rounding" and base >= method.min_count,
        "zero": zero_meaning(method),
        "example": _example(base) if base >= 3 else [],
        "stands_for": [(value, max(0, value - down), value + up) for value in (0, base, 2 * base, 20 * base)],
        "levels": [
            {"plural": facts.level_names[level][1], "areas": units}
            for level, units in zip(hierarchy.levels, hierarchy.units, strict=True)
        ],
        "lag": (facts.extract_date - facts.reference_date).days,
    }


def _beside(facts: ReleaseFacts) -> list[str]:
    """What is counted where some tables count claims and some people; nothing where all count the same."""
    told = words("metadata")["beside"]
    return [] if facts.population in told else list(told.values())


def _example(base: int) -> list[tuple[str, int, int, int]]:
    """A made-up table of three areas and two controlled roundings of it, each with errors below the base."""
    told = words("pages")["example"]
    rows = [(base + 2, base, 2 * base), (base - 2, base, 0), (2 * base + 2, 2 * base, 2 * base)]
    total = tuple(sum(column) for column in zip(*rows, strict=True))
    names = (*told["areas"], told["total"])
    return [(name, *row) for name, row in zip(names, (*rows, total), strict=True)]
