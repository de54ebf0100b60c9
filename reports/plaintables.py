"""Rows of plain values as tables of a page: text columns first, then numbers, headings from the keys."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from reports.statements import words
from reports.tablepages import DataTable, Row

__all__ = ["as_text", "plain_table"]


def plain_table(
    identity: str, caption: str, rows: Iterable[Mapping[str, object]], numeric_too: Sequence[str] = ()
) -> DataTable | None:
    """Rows of plain values as a table for the page, or nothing where there are none: text columns first, then numbers.

    `numeric_too` are columns of text that stand among the numbers.
    """
    listed = list(rows)
    if not listed:
        return None
    numeric = [key for key in listed[0] if key in numeric_too or _all_numbers([row[key] for row in listed])]
    text = [key for key in listed[0] if key not in numeric] or numeric[:1]
    numeric = [key for key in numeric if key not in text]
    names = words("pages")["review"]["column"]
    return DataTable(
        id=identity,
        caption=caption,
        row_heads=tuple(names.get(key, _as_heading(key)) for key in text),
        columns=tuple(names.get(key, _as_heading(key)) for key in numeric),
        rows=tuple(
            Row(
                head=as_text(row[text[0]]),
                about=tuple(as_text(row[key]) for key in text[1:]),
                cells=tuple(as_text(row[key]) for key in numeric),
            )
            for row in listed
        ),
    )


def _all_numbers(values: list[object]) -> bool:
    """Numbers, or nothing where a measure does not exist; at least one number."""
    return any(_is_number(value) for value in values) and all(value is None or _is_number(value) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_heading(key: str) -> str:
    return key.replace("_", " ").capitalize()


def as_text(value: object) -> str:
    """A plain value as readers see it; parts of a mapping or a list side by side."""
    if isinstance(value, bool):
        return str(words("pages")["review"]["yes" if value else "no"])
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4g}"
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {as_text(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(as_text(part) for part in value)
    return "" if value is None else str(value)
