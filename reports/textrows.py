"""Rows of text from columns, without a Python loop over cells.

CSV lines, ODF rows and spreadsheet rows are all made alike: each column
becomes an Arrow array of text that holds its cells with whatever surrounds
them, and the columns are joined row by row.  The joined array's own buffer is
then what goes into the file.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdc.tables import MARKERS, NOT_PUBLISHED, SHOWN

__all__ = ["batches", "column_letters", "escape_text", "escape_xml", "figure_texts", "joined", "surrounded", "taken"]

BATCH = 16_384
FAR_BELOW = -(1 << 62)
ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))


def batches(rows: int, *, skip: int = 0) -> Iterator[tuple[int, int]]:
    """The first row and the row behind the last of each batch, in order, without the first `skip` rows."""
    for start in range(skip, rows, BATCH):
        yield start, min(start + BATCH, rows)


def column_letters(number: int) -> str:
    """The letters of a spreadsheet's column, 1 being A."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


def joined(parts: Sequence[pa.Array | str]) -> pa.Buffer:
    """The UTF-8 bytes of all rows, one after another.

    `parts` are the pieces of a row from left to right: arrays of text of one
    length, or text that is the same in each row.  At least one is an array;
    none holds a null.
    """
    rows = pc.binary_join_element_wise(*parts, "")
    if isinstance(rows, pa.ChunkedArray):
        rows = rows.combine_chunks()
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[rows.offset : rows.offset + len(rows) + 1]
    return rows.buffers()[2].slice(int(offsets[0]), int(offsets[-1] - offsets[0]))


def surrounded(before: str, texts: pa.Array, after: str) -> pa.Array:
    """Each text with the same text before and behind it."""
    return pc.binary_join_element_wise(before, texts, after, "")


def escape_xml(texts: pa.Array) -> pa.Array:
    """Texts as they stand in XML content and attributes; characters that XML forbids become U+FFFD."""
    for found, written in ESCAPES:
        texts = pc.replace_substring(texts, found, written)
    return pc.replace_substring_regex(texts, r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]", "\ufffd")


def taken(texts: pa.Array, index: np.ndarray | None, start: int, stop: int) -> pa.Array:
    """Rows start … stop - 1 of a column of texts: the texts themselves, or those that the index names."""
    return texts.slice(start, stop - start) if index is None else texts.take(pa.array(index[start:stop]))


def escape_text(text: str) -> str:
    """One text as `escape_xml` would give it."""
    for found, written in ESCAPES:
        text = text.replace(found, written)
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)


def figure_texts(
    values: np.ndarray,
    markers: np.ndarray,
    shown: Callable[[int], str],
    marked: Callable[[str], str],
) -> pa.Array:
    """The text of each figure: `shown(value)`, or `marked(marker)` where a marker stands instead.

    `values` int64 and `markers` int8 have shape (n,).  Each of the two is
    called once for each different value and marker only: rounded tables
    repeat a few values, so that this costs little however long the column is.
    A cell that is not published is marked as not available, for in a grid
    every cell holds something.
    """
    # Values so far below zero never stand in a table, so that they can hold the markers' places.
    keys = np.where(markers == SHOWN, values, FAR_BELOW + markers.astype(np.int64))
    different, index = np.unique(keys, return_inverse=True)
    names = {**MARKERS, NOT_PUBLISHED: "x"}
    known = {FAR_BELOW + marker: text for marker, text in names.items()}
    texts = [marked(known[key]) if key in known else shown(key) for key in different.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(index))
