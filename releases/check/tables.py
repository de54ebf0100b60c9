"""Published tables read anew: ``tables/<id>.csv`` against the tree and categories that its metadata tells.

A table becomes, per level, arrays of shape (units, categories + 1), the total
last: `values` (int64, 0 where there is no number) and `markers` (int8, an index
into `MARKERS`, 0 where there is a number).
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from releases.check.notes import SHOWN, Notes

__all__ = [
    "MARKERS",
    "Layout",
    "Published",
    "check_parquet",
    "read_layout",
    "read_long",
    "read_published",
    "whole_numbers",
]

MARKERS = ("", "c", "z", "x", "low")
TOTAL = "Total"
# Counts that any tool reads without loss: below 2^53, which has 16 digits.
WHOLE = r"^(0|[1-9][0-9]{0,14})$"


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Which rows a table has: levels smallest first, sorted codes and parents per level, dimensions, categories."""

    levels: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    parents: tuple[np.ndarray, ...]
    dimensions: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[tuple[str, ...], ...]:
        """Categories, then the total."""
        return (*self.categories, (TOTAL,) * len(self.dimensions))

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """(units, columns) per level."""
        return tuple((len(codes), len(self.columns)) for codes in self.codes)

    @property
    def starts(self) -> np.ndarray:
        """First row of each level, and the number of rows: int64 of shape (levels + 1,)."""
        return np.concatenate([[0], np.cumsum([units * columns for units, columns in self.shapes])]).astype(np.int64)

    def codes_of(self, dimension: str) -> frozenset[str]:
        """The codes of one dimension."""
        place = self.dimensions.index(dimension)
        return frozenset(category[place] for category in self.categories)

    def cell(self, level: int, unit: int, column: int) -> str:
        """A cell in words a person can look up."""
        names = ", ".join(f"{name} {code}" for name, code in zip(self.dimensions, self.columns[column], strict=True))
        area = f"{self.levels[level]} {self.codes[level][unit]}"
        return f"{area}, {names}" if names else area

    def cell_of_row(self, row: int) -> str:
        """The cell that stands in a row, counted from 0 without the header."""
        level = int(np.searchsorted(self.starts, row, side="right")) - 1
        unit, column = divmod(row - int(self.starts[level]), len(self.columns))
        return self.cell(level, unit, column)

    def split(self, flat: np.ndarray) -> tuple[np.ndarray, ...]:
        """An array over all rows as one array per level."""
        return tuple(
            flat[start:stop].reshape(shape)
            for (start, stop), shape in zip(pairwise(self.starts), self.shapes, strict=True)
        )

    def same_areas(self, other: "Layout") -> bool:
        """Whether both have the same tree."""
        return self.levels == other.levels and bool(self.levels_alike(other))

    def levels_alike(self, other: "Layout") -> list[tuple[int, int]]:
        """Places of the levels that both have, in this and in the other; none unless one tree is the top of the other."""
        shared = min(len(self.levels), len(other.levels))
        mine, theirs = len(self.levels) - shared, len(other.levels) - shared
        pairs = [(mine + level, theirs + level) for level in range(shared)]
        same = all(
            self.levels[one] == other.levels[two] and np.array_equal(self.codes[one], other.codes[two])
            for one, two in pairs
        ) and all(np.array_equal(self.parents[one], other.parents[two]) for one, two in pairs[:-1])
        return pairs if same else []


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """One published table as its CSV file tells it; `long` are the rows as they stand, all columns text."""

    id: str
    file: str
    layout: Layout
    values: tuple[np.ndarray, ...]
    markers: tuple[np.ndarray, ...]
    long: pa.Table

    @property
    def numbers(self) -> bool:
        """Whether every cell holds a number."""
        return all(not markers.any() for markers in self.markers)


# --- The layout, from the metadata beside the table ----------------------------------------------


def read_layout(path: Path, file: str, notes: Notes) -> tuple[Layout | None, dict[str, object]]:
    """Layout and whole block of a CSVW file; a finding and no layout where it cannot be used.

    The block is the object ``notes[…]["smallarea"]``: ``nests[0].tree`` lists the
    levels, smallest first, each with ``level``, ``codes`` and, but for the last,
    ``parents`` (places in the next level's codes); ``dimensions`` and ``categories``
    name the columns.
    """
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        notes.wrong("metadata", file, "is missing or cannot be read as JSON")
        return None, {}
    found = document.get("notes") if isinstance(document, dict) else None
    blocks = [
        note["smallarea"] for note in found or [] if isinstance(note, dict) and isinstance(note.get("smallarea"), dict)
    ]
    if len(blocks) != 1:
        notes.wrong("metadata", file, "does not tell the table's tree and categories once")
        return None, {}
    try:
        layout = _layout(blocks[0])
        problem = _problem(layout)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        problem = "tells the tree or the categories in an unknown form"
    if problem:
        notes.wrong("metadata", file, problem)
        return None, blocks[0]
    return layout, blocks[0]


def _layout(block: Mapping[str, object]) -> Layout:
    nests: list[dict[str, list[dict[str, list[str]]]]] = block["nests"]  # type: ignore[assignment]
    if len(nests) != 1:
        raise ValueError("a release has one nest, its areas")
    tree = nests[0]["tree"]
    categories: list[list[str]] = block["categories"]  # type: ignore[assignment]
    dimensions: list[str] = block["dimensions"]  # type: ignore[assignment]
    return Layout(
        levels=tuple(str(level["level"]) for level in tree),
        codes=tuple(np.array([str(code) for code in level["codes"]], dtype=np.str_) for level in tree),
        parents=tuple(np.array(level["parents"], dtype=np.int64) for level in tree[:-1]),
        dimensions=tuple(str(name) for name in dimensions),
        categories=tuple(tuple(str(code) for code in category) for category in categories),
    )


def _problem(layout: Layout) -> str:
    """What is wrong with a layout; empty where it is a nest with sorted categories."""
    if not layout.levels or len(set(layout.levels)) != len(layout.levels):
        return "tells no levels, or one of them twice"
    for level, codes in zip(layout.levels, layout.codes, strict=True):
        if len(codes) == 0 or np.any(codes[:-1] >= codes[1:]) or "" in codes:
            return f"the codes of level '{level}' are not sorted and unique"
    everywhere = np.concatenate(layout.codes)
    if len(np.unique(everywhere)) != len(everywhere):
        return "a code stands on two levels"
    for place, parents in enumerate(layout.parents):
        if parents.shape != layout.codes[place].shape or not np.array_equal(
            np.unique(parents), np.arange(len(layout.codes[place + 1]))
        ):
            return f"the parents of level '{layout.levels[place]}' are not one for each area, with none above left out"
    if list(layout.categories) != sorted(set(layout.categories)):
        return "the categories are not sorted and unique"
    if bool(layout.categories) != bool(layout.dimensions):
        return "there are dimensions without categories, or categories without dimensions"
    for category in layout.categories:
        if len(category) != len(layout.dimensions) or TOTAL in category or "" in category:
            return f"a category does not give one code, other than blank and '{TOTAL}', for each dimension"
    return ""


# --- The long form ------------------------------------------------------------------------------


def read_published(path: Path, file: str, table_id: str, layout: Layout, notes: Notes) -> Published | None:
    """Read a published CSV against its layout; None, with findings, where its rows are not what they must be."""
    long = read_long(path, file, (*_key_columns(layout), "value", "marker"), layout, notes)
    if long is None:
        return None
    values = whole_numbers(long, "value", file, layout, notes)
    markers = pc.index_in(long["marker"], value_set=pa.array(MARKERS)).to_numpy().astype(np.float64)
    _each(np.isnan(markers), "marker", "is not one of c, z, x and low", file, layout, notes)
    blank = np.isnan(values)
    marked = ~(markers == 0)
    _each(~blank & marked, "marker", "has both a value and a marker", file, layout, notes)
    _each(blank & ~marked, "value", "has neither a value nor a marker", file, layout, notes)
    if np.isnan(markers).any() or np.any(blank != marked):
        return None
    return Published(
        id=table_id,
        file=file,
        layout=layout,
        values=layout.split(np.nan_to_num(values).astype(np.int64)),
        markers=layout.split(markers.astype(np.int8)),
        long=long,
    )


def _key_columns(layout: Layout) -> tuple[str, ...]:
    return ("area_level", "area", *layout.dimensions)


def read_long(path: Path, file: str, columns: Sequence[str], layout: Layout, notes: Notes) -> pa.Table | None:
    """The rows of a CSV in long form, all text; None, with findings, unless columns and rows are exactly right.

    Exactly right is: the given columns in order, and one row for every level,
    area and category and the total, in the order of `layout`.
    """
    try:
        with open(path, "rb") as handle:
            first = handle.readline(1 << 20)
    except OSError:
        notes.wrong("missing file", file, "cannot be read")
        return None
    if first.startswith(b"\xef\xbb\xbf"):
        notes.wrong("columns", file, "starts with a byte order mark")
        return None
    header = next(csv.reader(io.StringIO(first.decode("utf-8", "replace"))), [])
    if tuple(header) != tuple(columns):
        notes.wrong("columns", file, f"the columns are not {', '.join(columns)}")
        return None
    try:
        long = pa.csv.read_csv(
            path,
            parse_options=pa.csv.ParseOptions(newlines_in_values=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False, check_utf8=True
            ),
        )
    except (pa.ArrowException, OSError):
        notes.wrong("columns", file, "cannot be read as a CSV file in UTF-8 with one value for each column")
        return None
    return long.combine_chunks() if _right_rows(long, file, layout, notes) else None


def _right_rows(long: pa.Table, file: str, layout: Layout, notes: Notes) -> bool:
    """Whether every row that must be there is there once, in order; findings otherwise."""
    rows = _positions(long, layout)
    expected = int(layout.starts[-1])
    if len(rows) == expected and np.array_equal(rows, np.arange(expected)):
        return True
    strange = np.flatnonzero(rows < 0)
    for place in strange[:SHOWN].tolist():
        notes.wrong("rows", file, f"line {place + 2} is no level, area and category of the tree")
    notes.more("rows", file, max(0, len(strange) - SHOWN))
    seen = np.bincount(rows[rows >= 0], minlength=expected)
    for wrong, what in ((seen == 0, "has no row"), (seen > 1, "has more than one row")):
        _each(wrong, "rows", what, file, layout, notes)
    if len(strange) == 0 and np.all(seen == 1):
        line = int(np.argmax(rows != np.arange(expected))) + 2
        notes.wrong("order", file, f"line {line} is not where level, area and category order puts it, the total last")
    return False


def _positions(long: pa.Table, layout: Layout) -> np.ndarray:
    """For each row its place in the layout's order, int64; -1 where it has none."""
    level = _index(long["area_level"], layout.levels)
    area = _index(long["area"], np.concatenate(layout.codes))
    firsts = np.concatenate([[0], np.cumsum([len(codes) for codes in layout.codes])])
    unit = area - firsts[np.maximum(level, 0)]
    right = (level >= 0) & (area >= 0) & (unit >= 0) & (area < firsts[np.maximum(level, 0) + 1])
    column = _column_index(long, layout)
    right &= column >= 0
    return np.where(right, layout.starts[np.maximum(level, 0)] + unit * len(layout.columns) + column, -1)


def _index(column: pa.ChunkedArray, texts: Sequence[str] | np.ndarray) -> np.ndarray:
    found = pc.fill_null(pc.index_in(column, value_set=pa.array([str(text) for text in texts], pa.string())), -1)
    return np.asarray(found.to_numpy(), np.int64)


def _column_index(long: pa.Table, layout: Layout) -> np.ndarray:
    """For each row the place of its categories among the layout's columns; -1 where there is none."""
    combined = np.zeros(long.num_rows, np.int64)
    wrong = np.zeros(long.num_rows, bool)
    wanted = np.zeros(len(layout.columns), np.int64)
    for place, name in enumerate(layout.dimensions):
        codes = sorted({column[place] for column in layout.columns})
        found = _index(long[name], codes)
        wrong |= found < 0
        combined = combined * len(codes) + found
        wanted = wanted * len(codes) + np.array([codes.index(column[place]) for column in layout.columns])
    order = np.argsort(wanted)
    spot = np.minimum(np.searchsorted(wanted[order], combined), len(wanted) - 1)
    return np.where(~wrong & (wanted[order][spot] == combined), order[spot], -1)


def whole_numbers(long: pa.Table, name: str, file: str, layout: Layout, notes: Notes) -> np.ndarray:
    """A column as float64, NaN where it is blank; a finding for each cell that is neither blank nor a whole number."""
    blank = pc.equal(long[name], "").to_numpy()
    whole = pc.match_substring_regex(long[name], WHOLE).to_numpy()
    _each(~blank & ~whole, name, f"has a {name} that is not a whole number of at least 0", file, layout, notes)
    kept = pc.if_else(pa.array(whole), long[name], None)
    numbers: np.ndarray = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers


def _each(wrong: np.ndarray, kind: str, what: str, file: str, layout: Layout, notes: Notes) -> None:
    """A finding for each row of the layout where `wrong` is true; those past the first `SHOWN` are counted."""
    rows = np.flatnonzero(wrong)
    for row in rows[:SHOWN].tolist():
        notes.wrong(kind, file, what, cell=layout.cell_of_row(row))
    notes.more(kind, file, max(0, len(rows) - SHOWN))


def check_parquet(path: Path, file: str, published: Published, notes: Notes) -> None:
    """Compare a Parquet file with the CSV: same columns in order, text and int64, same rows."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        notes.wrong("parquet", file, "is missing or cannot be read")
        return
    names = list(published.long.column_names)
    if table.column_names != names:
        notes.wrong("parquet", file, f"the columns are not {', '.join(names)}")
        return
    if table.num_rows != published.long.num_rows:
        notes.wrong("parquet", file, f"has {table.num_rows} rows, the CSV {published.long.num_rows}")
        return
    if table.schema.field("value").type != pa.int64():
        notes.wrong("parquet", file, "the column 'value' is not int64")
        return
    for name in names:
        texts = pc.fill_null(table[name].cast(pa.string()), "")
        wrong = pc.not_equal(texts, published.long[name]).to_numpy()
        what = f"has another {name} than the CSV"
        _each(wrong, "parquet", what, file, published.layout, notes)
