"""Small OpenDocument spreadsheets for tests, written part by part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZipFile

NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
}
MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"

Rows = Sequence[Sequence[object]]


def write_ods(path: Path, sheets: Mapping[str, Rows], *, ranges: str = "", cell: str = "") -> Path:
    """A spreadsheet of these sheets; None is an empty cell, `ranges` and `cell` are XML put in as they stand."""
    spaces = " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in NAMES.items())
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>{''.join(map(_row, rows))}{cell}</table:table>"
        for name, rows in sheets.items()
    )
    marked = f"<table:database-ranges>{ranges}</table:database-ranges>" if ranges else ""
    body = f"<office:body><office:spreadsheet>{tables}{marked}</office:spreadsheet></office:body>"
    with ZipFile(path, "w") as archive:
        archive.writestr("mimetype", MIMETYPE)
        archive.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")
    return path


def _row(cells: Sequence[object]) -> str:
    return f"<table:table-row>{''.join(map(_cell, cells))}</table:table-row>"


def _cell(value: object) -> str:
    if value is None:
        return "<table:table-cell/>"
    kind = 'office:value-type="string"'
    if isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"
