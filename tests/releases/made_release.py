"""A whole release folder and its review pack for tests: real tables, metadata and workbooks, two bare pages."""

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.keys import key_id
from reports.csvw import write_csvw
from reports.longform import write_long
from reports.model import Contact, ReleaseFacts, ReportTable
from reports.ods import write_ods
from reports.workbook import build_workbook
from reports.xlsx import write_xlsx
from sdc.tables import MARKERS, SHOWN, Classification, Hierarchy, Method, SafeTable

KEY = b"a key of a made-up series, no secret at all"
LEVELS = ("oa", "lsoa", "lad")
LABELS = {
    "benefit": {"jsa": "Jobseeker's Allowance", "uc": "Universal Credit; all kinds"},
    "sex": {"f": "Female", "m": "Male", "n": "Not known"},
}


def hierarchy() -> Hierarchy:
    """Six output areas in three LSOAs in one authority."""
    return Hierarchy(
        levels=LEVELS,
        codes=(
            np.array([f"E0000000{number}" for number in range(1, 7)]),
            np.array(["E01000001", "E01000002", "E01000003"]),
            np.array(["E08000001"]),
        ),
        parents=(np.array([0, 0, 1, 1, 2, 2], np.int32), np.array([0, 0, 0], np.int32)),
    )


def classification(*dimensions: str) -> Classification:
    crossed: list[tuple[str, ...]] = [()] if dimensions else []
    for name in dimensions:
        crossed = [(*category, code) for category in crossed for code in sorted(LABELS[name])]
    return Classification(dimensions=dimensions, categories=tuple(crossed))


def summed(finest: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows of the smallest areas (no total column) as additive arrays of all levels with the total."""
    rows = np.column_stack([finest, finest.sum(axis=1)]).astype(np.int64)
    lsoa = rows.reshape(3, 2, -1).sum(axis=1)
    return rows, lsoa, lsoa.sum(axis=0, keepdims=True)


@dataclass(frozen=True, kw_only=True)
class Made:
    """One table: true and published arrays per level, with markers where no number stands."""

    id: str
    dimensions: tuple[str, ...]
    true: tuple[np.ndarray, ...]
    shown: tuple[np.ndarray, ...]
    markers: tuple[np.ndarray, ...] = ()
    unit: str = "claims"


def rounded_tables() -> tuple[Made, ...]:
    """Two tables of the same 63 claims and their totals, each an additive rounding to base 5 with equal totals."""
    totals = np.array([10, 5, 15, 0, 20, 10])
    true_totals = np.array([9, 7, 12, 3, 21, 11])
    benefit = np.array([[5, 5], [0, 5], [10, 5], [0, 0], [10, 10], [5, 5]])
    true_benefit = np.array([[4, 5], [1, 6], [9, 3], [2, 1], [11, 10], [7, 4]])
    sex = np.array([[5, 5, 0], [5, 0, 0], [10, 5, 0], [0, 0, 0], [5, 10, 5], [5, 5, 0]])
    true_sex = np.array([[5, 4, 0], [4, 3, 0], [8, 4, 0], [1, 2, 0], [8, 11, 2], [6, 3, 2]])
    assert np.array_equal(benefit.sum(axis=1), totals) and np.array_equal(sex.sum(axis=1), totals)
    assert np.array_equal(true_benefit.sum(axis=1), true_totals) and np.array_equal(true_sex.sum(axis=1), true_totals)

    def alone(rows: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.ascontiguousarray(array[:, -1:]) for array in summed(rows))

    return (
        Made(id="benefit", dimensions=("benefit",), true=summed(true_benefit), shown=summed(benefit)),
        Made(id="sex", dimensions=("sex",), true=summed(true_sex), shown=summed(sex)),
        Made(id="totals", dimensions=(), true=alone(true_sex), shown=alone(sex)),
    )


def facts(population: str = "claims") -> ReleaseFacts:
    return ReleaseFacts(
        id="made-2026-05",
        title="Made-up claims",
        summary="Claims in a made-up place.",
        producer="Small area statistics team",
        series="made",
        reference_date=dt.date(2026, 5, 31),
        extract_date=dt.date(2026, 10, 5),
        publication=dt.datetime(2026, 11, 17, 9, 30),
        next_publication=dt.date(2027, 2, 16),
        status="provisional",
        label="none",
        population=population,
        licence="OGL-UK-3.0",
        source="Made up",
        contacts=(Contact(role="Statistician", name="Small area statistics team", email="statistics@example.org"),),
        previous="",
        level_names={
            "oa": ("output area", "output areas"),
            "lsoa": ("LSOA", "LSOAs"),
            "lad": ("local authority", "local authorities"),
        },
        area_names={"lad": np.array(["Madeby"])},
        software="smallarea 0.1.0",
    )


PAGE = """<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>Made-up claims</title>
<link rel="stylesheet" href="{up}assets/site.css"></head>
<body><a href="#main">Skip</a><main id="main"><a href="{other}">Other</a>
<a href="https://www.example.org/licence">Licence</a><img src="{up}assets/a.svg" alt=""></main></body></html>
"""


def write_release(
    out: Path,
    review: Path | None = None,
    *,
    tables: tuple[Made, ...] | None = None,
    method: Method | None = None,
) -> None:
    """Write a release to `out` and, if asked, its review pack."""
    made = rounded_tables() if tables is None else tables
    method = method or Method(name="controlled-rounding", base=5, min_count=5)
    (out / "tables").mkdir(parents=True)
    for table in made:
        write_table(out / "tables", table, method, population(made))
    (out / "assets").mkdir()
    (out / "assets" / "site.css").write_text("body { background: url(a.svg) }")
    (out / "assets" / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (out / "pages").mkdir()
    (out / "index.html").write_text(PAGE.format(up="", other="pages/table.html#main"))
    (out / "pages" / "table.html").write_text(PAGE.format(up="../", other=f"../tables/{made[0].id}.csv"))
    write_manifest(out, made, method)
    if review is not None:
        write_review(out, review, made)


def report_table(table: Made, method: Method) -> ReportTable:
    safe = SafeTable(
        hierarchy=hierarchy(),
        classification=classification(*table.dimensions),
        values=table.shown,
        method=method,
        markers=table.markers,
    )
    names = {name: name.capitalize() for name in table.dimensions}
    labels = {name: LABELS[name] for name in table.dimensions}
    return ReportTable(
        id=table.id, title=f"Claims, {table.id}", safe=safe, dimension_names=names, labels=labels, unit=table.unit
    )


def population(made: tuple[Made, ...]) -> str:
    return " and ".join(sorted({table.unit for table in made}))


def write_table(folder: Path, table: Made, method: Method, counted: str = "claims") -> None:
    told = report_table(table, method)
    write_long(told.safe, folder / f"{table.id}.csv")
    write_long(told.safe, folder / f"{table.id}.parquet")
    write_csvw(told, facts(counted), folder / f"{table.id}.csv-metadata.json")
    workbook = build_workbook(told, facts(counted))
    write_ods(workbook, folder / f"{table.id}.ods")
    write_xlsx(workbook, folder / f"{table.id}.xlsx")


def write_manifest(out: Path, made: tuple[Made, ...], method: Method) -> None:
    """The manifest over the files that are there."""
    paths = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    paths = [path for path in paths if path != "manifest.json"]
    plain = {
        "format": "smallarea release 1",
        "id": "made-2026-05",
        "title": "Made-up claims",
        "series": "made",
        "status": "provisional",
        "label": "none",
        "reference_date": "2026-05-31",
        "extract_date": "2026-10-05",
        "publication": "2026-11-17T09:30:00",
        "next_publication": "2027-02-16",
        "previous": None,
        "population": population(made),
        "method": {"name": method.name, "base": method.base, "min_count": method.min_count},
        "areas": {"levels": list(LEVELS), "units": dict(zip(LEVELS, hierarchy().units, strict=True))},
        "tables": [
            {
                "id": table.id,
                "title": table.id,
                "dimensions": list(table.dimensions),
                "unit": table.unit,
                "cells": cells(table),
            }
            for table in made
        ],
        "key_id": key_id(KEY),
        "fingerprints": {"specification": "ab" * 32, "inputs": {"claims": "cd" * 32}},
        "software": {"smallarea": "0.1.0"},
        "files": [
            {
                "path": path,
                "sha256": hashlib.sha256((out / path).read_bytes()).hexdigest(),
                "bytes": (out / path).stat().st_size,
            }
            for path in paths
        ],
    }
    (out / "manifest.json").write_text(json.dumps(plain, indent=2))


def cells(table: Made) -> dict[str, int]:
    """Published cells by marker."""
    if not table.markers:
        return {"shown": sum(array.size for array in table.shown)}
    counted = {}
    for marker, text in MARKERS.items():
        number = sum(int((array == marker).sum()) for array in table.markers)
        if number:
            counted["shown" if marker == SHOWN else text] = number
    return counted


def write_review(out: Path, review: Path, made: tuple[Made, ...]) -> None:
    review.mkdir(mode=0o700)
    sha256 = hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()
    (review / "summary.json").write_text(json.dumps({"release": "made-2026-05", "manifest_sha256": sha256}))
    for table in made:
        lines = [",".join(("area_level", "area", *table.dimensions, "true", "published", "marker", "difference"))]
        columns = classification(*table.dimensions).columns
        for level, name in enumerate(LEVELS):
            for unit, code in enumerate(hierarchy().codes[level]):
                for column, category in enumerate(columns):
                    true, shown = table.true[level][unit, column], table.shown[level][unit, column]
                    marker = MARKERS[table.markers[level][unit, column]] if table.markers else ""
                    told = ("", marker, "") if marker else (str(shown), "", str(shown - true))
                    lines.append(",".join((name, str(code), *category, str(true), *told)))
        (review / f"true-beside-published-{table.id}.csv").write_text("\n".join(lines) + "\n")
    for path in review.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
