"""Exact nesting of areas: every area has one parent, no code is blank or on two levels, none contains itself.

A lookup's columns are turned into whole numbers once (`code_column`); every
check after that works on arrays, so that a national lookup takes a fraction of
a second.  Faults name area codes and rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.faults import Faults
from geography.textcolumns import TextColumns

__all__ = [
    "CodedColumn",
    "code_column",
    "encode_text",
    "find_parents",
    "first_rows",
    "tell_names",
    "tell_overlaps",
    "tell_spaces",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class CodedColumn:
    """A column of codes as whole numbers.

    Attributes
    ----------
    column : its name in the file.
    codes : text of shape (codes,), sorted by code point, unique, none blank.
    index : int32 of shape (rows,): where each row's code stands in `codes`, -1 where it is blank.
    """

    column: str
    codes: np.ndarray
    index: np.ndarray


def encode_text(texts: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct texts, sorted by code point, and for each row where its text stands among them (int32)."""
    encoded = texts.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    # Arrow sorts text by its UTF-8 bytes, whose order is that of the code points.
    order = pc.sort_indices(encoded.dictionary)
    values = encoded.dictionary.take(order).to_numpy(zero_copy_only=False).astype(str)
    rank = np.empty(len(values), dtype=np.int32)
    rank[order.to_numpy()] = np.arange(len(values), dtype=np.int32)
    return values, rank[encoded.indices.to_numpy()]


def first_rows(index: np.ndarray, count: int) -> np.ndarray:
    """The first row on which each of `count` values stands: int64 of shape (count,); rows with -1 are passed over."""
    first = np.full(count, len(index), dtype=np.int64)
    rows = np.flatnonzero(index >= 0)
    np.minimum.at(first, index[rows], rows)
    return first


def code_column(text: TextColumns, column: str, faults: Faults) -> CodedColumn:
    """A column of codes as whole numbers; notes a fault for each blank cell and each code with spaces around it."""
    values, index = encode_text(text.columns[column])
    stripped = np.char.strip(values)
    for row in np.flatnonzero((stripped == "")[index]):
        faults.add("blank code", "no code", "give every area its code", row=int(text.rows[row]), column=column)
    tell_spaces(text, column, values, index, faults)
    # Sorted, blanks need not come first (a tab sorts before a space, both before letters), so places are counted.
    filled = stripped != ""
    place = np.where(filled, np.cumsum(filled) - 1, -1).astype(np.int32)
    return CodedColumn(column=column, codes=values[filled], index=place[index])


def tell_spaces(text: TextColumns, column: str, values: np.ndarray, index: np.ndarray, faults: Faults) -> None:
    """Note a fault for each code with spaces around it, which would match no other: nothing is mended in silence."""
    stripped = np.char.strip(values)
    odd = np.flatnonzero((stripped != values) & (stripped != ""))
    if not len(odd):
        return
    first = text.rows[first_rows(index, len(values))[odd]]
    for value, row in zip(values[odd], first, strict=True):
        found = f"code '{value}' has spaces around it"
        faults.add("spaces around code", found, "take the spaces out in every row", row=int(row), column=column)


def _distinct_pairs(left: np.ndarray, right: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct pairs of whole numbers, sorted, and the first row of each; rows with -1 on either side are left out."""
    rows = np.flatnonzero((left >= 0) & (right >= 0))
    keys, first = np.unique(left[rows].astype(np.int64) * max(width, 1) + right[rows], return_index=True)
    return keys // max(width, 1), keys % max(width, 1), rows[first]


def find_parents(text: TextColumns, child: CodedColumn, parent: CodedColumn, faults: Faults) -> np.ndarray:
    """The one parent of each code: int32 of shape (child codes,); notes a fault for each code with several.

    Where there are faults, the array means nothing.
    """
    below, above, row = _distinct_pairs(child.index, parent.index, len(parent.codes))
    times = np.bincount(below, minlength=len(child.codes))
    for code in np.flatnonzero(times > 1):
        here = _run(below, code)
        listed = _list_where(text, parent.codes[above[here]], row[here])
        found = f"{child.codes[code]} lies in {times[code]} areas of column '{parent.column}': {listed}"
        line = int(text.rows[row[here].max()])
        faults.add("two parents", found, "give every area one parent", row=line, column=child.column)
    parents = np.full(len(child.codes), -1, dtype=np.int32)
    parents[below] = above
    return parents


def tell_names(
    text: TextColumns, column: str, coded: CodedColumn, names: pa.ChunkedArray, faults: Faults
) -> np.ndarray:
    """The one name of each code, as text of shape (codes,); notes a fault for each code with several."""
    values, index = encode_text(names)
    code, name, row = _distinct_pairs(coded.index, index, len(values))
    times = np.bincount(code, minlength=len(coded.codes))
    for several in np.flatnonzero(times > 1):
        here = _run(code, several)
        listed = _list_where(text, np.array([f"'{values[at]}'" for at in name[here]]), row[here])
        found = f"{coded.codes[several]} has {times[several]} names: {listed}"
        line = int(text.rows[row[here].max()])
        faults.add("two names", found, "give every area one name, in every row", row=line, column=column)
    named = np.zeros(len(coded.codes), dtype=np.int64)
    named[code] = name
    return values[named]


def _run(ordered: np.ndarray, value: np.signedinteger) -> slice:
    """Where a value stands in a sorted array."""
    return slice(int(np.searchsorted(ordered, value)), int(np.searchsorted(ordered, value, side="right")))


def _list_where(text: TextColumns, what: np.ndarray, rows: np.ndarray) -> str:
    order = np.argsort(rows, kind="stable")
    parts = [f"{what[at]} (row {text.rows[rows[at]]})" for at in order[:5]]
    return ", ".join(parts) + (f" and {len(order) - 5} more" if len(order) > 5 else "")


def tell_overlaps(text: TextColumns, levels: Sequence[str], coded: Sequence[CodedColumn], faults: Faults) -> None:
    """Note a fault for each circle of areas and for each other code that stands on two levels.

    Every row leads from smaller to larger, so a circle needs a code on two
    levels; where there is none, there is no more to look for.
    """
    every = np.concatenate([column.codes for column in coded])
    values, times = np.unique(every, return_counts=True)
    shared = values[times > 1]
    if not len(shared):
        return
    in_circles = _tell_cycles(shared, coded, faults)
    on = np.array([np.isin(shared, column.codes) for column in coded])
    first = [first_rows(column.index, len(column.codes)) for column in coded]
    for at, code in enumerate(shared):
        if code in in_circles:
            continue
        here = np.flatnonzero(on[:, at]).tolist()
        last = coded[here[-1]]
        row = int(text.rows[first[here[-1]][np.searchsorted(last.codes, code)]])
        found = f"{code} stands on levels " + " and ".join(f"'{levels[level]}'" for level in here)
        faults.add("overlapping levels", found, "give every area a code of its own", row=row, column=last.column)


def _tell_cycles(shared: np.ndarray, coded: Sequence[CodedColumn], faults: Faults) -> set[str]:
    above: dict[str, set[str]] = {}
    for child, parent in pairwise(coded):
        below, over, _ = _distinct_pairs(child.index, parent.index, len(parent.codes))
        for small, large in zip(child.codes[below].tolist(), parent.codes[over].tolist(), strict=True):
            above.setdefault(small, set()).add(large)
    in_circles: set[str] = set()
    for start in shared.tolist():
        if start in in_circles:
            continue
        circle = _way_back(start, above)
        if len(circle) > 1:
            in_circles.update(circle)
            found = "areas contain each other in a circle: " + " in ".join([*circle, start])
            faults.add("cycle", found, "let every area lie in larger ones only", column=coded[0].column)
    return in_circles


def _way_back(start: str, above: dict[str, set[str]]) -> list[str]:
    """The shortest way from a code through its parents back to itself, as codes; empty where there is none.

    A code that is its own parent is no circle here: it stands on two levels.
    """
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for parent in sorted(above.get(way[-1], ())):
            if parent == start and len(way) > 1:
                return way
            if parent not in seen:
                seen.add(parent)
                ways.append([*way, parent])
    return []
