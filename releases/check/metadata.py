"""The CSVW metadata beside a table: parses, describes the CSV's columns and types, and agrees with the manifest.

Source: W3C Recommendation "Metadata Vocabulary for Tabular Data", 17 December 2015.
"""

import json
import re
from pathlib import Path

import pyarrow.compute as pc

from releases.check.manifest import Manifest, TableEntry
from releases.check.notes import Notes
from releases.check.tables import MARKERS, Published

__all__ = ["check_block", "check_csvw", "labels_of"]

CONTEXT = "http://www.w3.org/ns/csvw"


def check_block(block: dict[str, object], file: str, entry: TableEntry, manifest: Manifest, notes: Notes) -> None:
    """The block that an attack reads must tell the same method, file and dimensions as the manifest."""
    method = block.get("method")
    told = method if isinstance(method, dict) else {}
    if manifest.method and (told.get("name"), told.get("base"), told.get("min_count")) != (
        manifest.method,
        manifest.base,
        manifest.min_count,
    ):
        notes.wrong("metadata", file, "tells another method, base or min_count than the manifest")
    for key in sorted(set(told) - {"name", "base", "min_count"}):
        notes.leak(
            "metadata", file, f"tells the parameter '{key}' of the method, which is not among those that may be told"
        )
    if block.get("file") != f"{entry.id}.csv":
        notes.wrong("metadata", file, "names another file than the table's CSV")
    both = len({each.unit for each in manifest.tables}) > 1
    flow = entry.measure != "caseload"
    if block.get("measure") != (f"{entry.measure} since {entry.flow_from}" if flow else None):
        notes.wrong("metadata", file, "tells another measure or window than the manifest")
    if block.get("population") != (entry.unit if both else None):
        notes.wrong(
            "metadata", file, "tells another population than the manifest, or tells one where all tables are of one"
        )
    if block.get("dimensions") != list(entry.dimensions):
        notes.wrong("metadata", file, "tells other dimensions than the manifest")


def check_csvw(path: Path, file: str, published: Published, notes: Notes) -> None:
    """The CSVW description against the CSV: url, dialect, columns, primary key, datatypes, null values."""
    document = json.loads(path.read_bytes())  # it parsed before, or there were no published rows
    context = document.get("@context")
    told = context if isinstance(context, list) else [context]
    if CONTEXT not in told:
        notes.wrong("metadata", file, "the @context is not that of CSVW")
    if not any(isinstance(part, dict) and str(part.get("@language", "")).startswith("en") for part in told):
        notes.wrong("metadata", file, "the @context gives no @language")
    if document.get("url") != f"{published.id}.csv":
        notes.wrong("metadata", file, "the url is not the table's CSV beside it")
    dialect = document.get("dialect")
    if isinstance(dialect, dict) and (dialect.get("header", True) is not True or dialect.get("delimiter", ",") != ","):
        notes.wrong("metadata", file, "the dialect is not comma-separated with a header")
    schema = document.get("tableSchema")
    columns = schema.get("columns") if isinstance(schema, dict) else None
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        notes.wrong("metadata", file, "tableSchema.columns is missing")
        return
    _check_columns(columns, file, published, notes)
    names = [column.get("name") for column in columns]
    if schema.get("primaryKey") != names[:-2]:
        notes.wrong("metadata", file, "the primaryKey is not area level, area and the dimensions")


def _check_columns(columns: list[dict[str, object]], file: str, published: Published, notes: Notes) -> None:
    header = list(published.long.column_names)
    titles = [_first(column.get("titles", column.get("name"))) for column in columns]
    if titles != header:
        notes.wrong("metadata", file, "the columns that are described are not the CSV's header")
        return
    names = [str(column.get("name", "")) for column in columns]
    if len(set(names)) != len(names) or not all(re.fullmatch(r"[A-Za-z0-9]\w*", name) for name in names):
        notes.wrong("metadata", file, "names of columns must be unique, of letters, digits and underscores")
    for title, column in zip(titles, columns, strict=True):
        base = _base(column.get("datatype"))
        wanted = ("integer", "nonNegativeInteger") if title == "value" else ("string",)
        if base not in wanted:
            notes.wrong("metadata", file, f"the datatype of column '{title}' is not {' or '.join(wanted)}")
        elif base == "string":
            _check_format(column, str(title), file, published, notes)
        if title in ("value", "marker") and "" not in _texts(column.get("null", [""])):
            notes.wrong("metadata", file, f"empty cells of column '{title}' are not told as null")


def _check_format(column: dict[str, object], title: str, file: str, published: Published, notes: Notes) -> None:
    """Every text of the column, and every marker, must fit the pattern that the datatype gives, if it gives one."""
    datatype = column.get("datatype")
    pattern = datatype.get("format") if isinstance(datatype, dict) else None
    if not isinstance(pattern, str):
        return
    texts = MARKERS[1:] if title == "marker" else [str(text) for text in pc.unique(published.long[title]).to_pylist()]
    try:
        wrong = [text for text in texts if not re.fullmatch(pattern, text)]
    except re.error:
        notes.wrong("metadata", file, f"the format of column '{title}' is no pattern")
        return
    if wrong:
        notes.wrong("metadata", file, f"the format of column '{title}' does not take every text of the column")


def _first(titles: object) -> object:
    return titles[0] if isinstance(titles, list) and titles else titles


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _base(datatype: object) -> object:
    return datatype.get("base", "string") if isinstance(datatype, dict) else datatype


def labels_of(path: Path, published: Published) -> dict[str, dict[str, str]]:
    """Labels of codes by dimension, where the column's description tells them as ``code = label; code = label``."""
    schema = json.loads(path.read_bytes()).get("tableSchema")
    columns = schema.get("columns") if isinstance(schema, dict) else None
    labels: dict[str, dict[str, str]] = {}
    for column in columns if isinstance(columns, list) else ():
        if not isinstance(column, dict):
            continue
        name = str(_first(column.get("titles", column.get("name"))))
        if name in published.layout.dimensions:
            codes = sorted(published.layout.codes_of(name))
            pattern = "; ".join(f"{re.escape(code)}(?: = (.*?))?" for code in codes)
            match = re.fullmatch(pattern, str(column.get("dc:description", "")))
            told = match.groups() if match else ()
            labels[name] = {code: label for code, label in zip(codes, told, strict=False) if label}
    return labels
