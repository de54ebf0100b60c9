"""Rates and estimates read anew: rates worked out again from what is published, the files of each against each other.

A rate must be what its figure, in the table that it is of, and its denominator, beside it, give:
figure * per / denominator, rounded half up, in whole numbers.  Its marker must be that of the figure, ``x``
without a denominator, ``z`` where that is 0, and ``u`` where the furthest that the method moves a
figure is more than the stated share of it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from releases.check.derivedsheets import check_derived_workbook
from releases.check.manifest import MANIFEST, DerivedEntry, Manifest
from releases.check.notes import SHOWN, Notes
from releases.check.tables import Layout, Published, read_long

__all__ = ["check_derived"]

MARKERS = ("", "c", "z", "x", "low", "u")
BESIDE = MARKERS.index("u")
BLANK = np.iinfo(np.int64).min
COLUMNS = {"rate": ("value", "denominator"), "estimate": ("value", "ci_lower", "ci_upper", "base")}


@dataclass(frozen=True, kw_only=True, eq=False)
class Derived:
    """One derived table as its CSV tells it: numbers in steps of 10 ** -decimals, `BLANK` where none; markers by place."""

    file: str
    layout: Layout
    facts: Mapping[str, object]
    numbers: dict[str, np.ndarray]
    decimals: dict[str, int]
    markers: np.ndarray
    long: pa.Table


def check_derived(directory: Path, manifest: Manifest, tables: list[Published], notes: Notes) -> None:
    """Check every table that the manifest lists as derived."""
    by_id = {table.id: table for table in tables}
    for entry in manifest.derived:
        told = _read(directory, entry, by_id, tables, notes)
        if told is None:
            notes.not_checked(f"tables/{entry.id}.csv and the files beside it: it could not be read as it must be")
            continue
        _check_markers(told, entry, notes)
        if entry.kind == "rate":
            _check_rates(told, by_id[entry.of], manifest, notes)
        else:
            _check_estimates(told, notes)
        _check_parquet(directory / f"tables/{entry.id}.parquet", told, notes)
        for ending in (".ods", ".xlsx"):
            file = f"tables/{entry.id}{ending}"
            check_derived_workbook(
                directory / file, file, told.layout, told.numbers, told.decimals, told.markers, MARKERS, notes
            )
    if manifest.derived:
        notes.checked(
            "rates worked out anew from published figures and the denominators beside them; estimates in order"
        )
        notes.not_checked("denominators and estimates against their sources, which are not in the folder")


def _read(
    directory: Path, entry: DerivedEntry, by_id: Mapping[str, Published], tables: list[Published], notes: Notes
) -> Derived | None:
    file, metadata = f"tables/{entry.id}.csv", f"tables/{entry.id}.csv-metadata.json"
    facts = _facts(directory / metadata, metadata, entry, notes)
    if facts is None:
        return None
    if entry.kind == "rate" and entry.of not in by_id:
        notes.wrong("derived", file, f"is of '{entry.of}', which is no table that could be read")
        return None
    full = (
        by_id[entry.of].layout if entry.kind == "rate" else max(tables, key=lambda one: len(one.layout.levels)).layout
    )
    layout = _told(full, entry)
    decimals = _decimals(facts)
    if layout is None or decimals is None or tuple(decimals) not in (COLUMNS[entry.kind], COLUMNS[entry.kind][:3]):
        notes.wrong("metadata", metadata, "does not tell known levels, and the decimals of each column of numbers")
        return None
    columns = ("area_level", "area", *layout.dimensions, *decimals, "marker")
    long = read_long(directory / file, file, columns, layout, notes)
    if long is None:
        return None
    numbers = {name: _numbers(long[name], name, places, file, layout, notes) for name, places in decimals.items()}
    markers = pc.fill_null(pc.index_in(long["marker"], value_set=pa.array(MARKERS)), -1).to_numpy().astype(np.int64)
    _each(markers < 0, "marker", f"is not one of {', '.join(MARKERS[1:])}", file, layout, notes)
    if (markers < 0).any() or any((one == BLANK + 1).any() for one in numbers.values()):
        return None
    return Derived(
        file=file, layout=layout, facts=facts, numbers=numbers, decimals=decimals, markers=markers, long=long
    )


def _facts(path: Path, file: str, entry: DerivedEntry, notes: Notes) -> dict[str, object] | None:
    """The object ``derived`` of the metadata's notes, which must agree with the manifest."""
    try:
        document = json.loads(path.read_bytes())
        found: list[dict[str, object]] = [note["derived"] for note in document["notes"] if "derived" in note]
        facts = found[0]
        agrees = (facts["kind"], facts["file"], facts["status"], facts.get("of", "")) == (
            entry.kind,
            f"{entry.id}.csv",
            entry.status,
            entry.of,
        )
        titles = [column["titles"][0] for column in document["tableSchema"]["columns"]]
    except (OSError, ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError):
        notes.wrong("metadata", file, "is missing, or does not tell how the table was worked out")
        return None
    if len(found) != 1 or not agrees:
        notes.wrong("metadata", file, "tells another kind, file, status or table that it is of than the manifest")
    if document.get("url") != f"{entry.id}.csv" or titles[-1:] != ["marker"]:
        notes.wrong("metadata", file, "describes another file than the table's CSV beside it")
    return facts


def _told(full: Layout, entry: DerivedEntry) -> Layout | None:
    """The layout of the rows: the levels that the table is told at, and categories of rates alone."""
    places = [full.levels.index(name) for name in entry.levels if name in full.levels]
    if not places or len(places) != len(entry.levels) or places != sorted(places):
        return None
    part = replace(
        full,
        levels=tuple(full.levels[place] for place in places),
        codes=tuple(full.codes[place] for place in places),
        parents=(),
    )
    return part if entry.kind == "rate" else replace(part, dimensions=(), categories=())


def _decimals(facts: Mapping[str, object]) -> dict[str, int] | None:
    told = facts.get("decimals")
    if not isinstance(told, dict) or not all(isinstance(one, int) and 0 <= one <= 6 for one in told.values()):
        return None
    return {str(name): one for name, one in told.items()}


def _numbers(column: pa.ChunkedArray, name: str, places: int, file: str, layout: Layout, notes: Notes) -> np.ndarray:
    """A column in steps of 10 ** -places: `BLANK` where blank, `BLANK` + 1, and a finding, where it is not so written."""
    form = re.compile(rf"-?(0|[1-9][0-9]{{0,14}})\.[0-9]{{{places}}}" if places else r"-?(0|[1-9][0-9]{0,14})")
    texts = column.to_pylist()
    known = {
        text: BLANK if text == "" else int(text.replace(".", "")) if form.fullmatch(text) else BLANK + 1
        for text in set(texts)
    }
    numbers = np.array([known[text] for text in texts], np.int64)
    _each(numbers == BLANK + 1, name, f"is no number with {places} decimals", file, layout, notes)
    return numbers


def _check_markers(told: Derived, entry: DerivedEntry, notes: Notes) -> None:
    """A marker stands instead of a figure, u beside one; and the manifest counts them as they stand."""
    blank = told.numbers["value"] == BLANK
    instead = (told.markers != 0) & (told.markers != BESIDE)
    _each(
        blank & ~instead,
        "value",
        "has no figure, and no marker that stands instead of one",
        told.file,
        told.layout,
        notes,
    )
    _each(
        ~blank & instead,
        "marker",
        "has a figure, and a marker that stands instead of one",
        told.file,
        told.layout,
        notes,
    )
    counted = {text or "shown": int((told.markers == place).sum()) for place, text in enumerate(MARKERS)}
    if {name: number for name, number in counted.items() if number} != entry.cells:
        notes.wrong("manifest", MANIFEST, f"counts other cells by marker than {told.file} holds")


def _check_rates(told: Derived, of: Published, manifest: Manifest, notes: Notes) -> None:
    """Every rate and marker worked out anew."""
    try:
        per, share = int(str(told.facts["per"])), Fraction(str(told.facts["max_relative_error"]))
    except (KeyError, ValueError):
        notes.wrong("metadata", told.file, "does not tell per and max_relative_error of the rates")
        return
    places = [of.layout.levels.index(name) for name in told.layout.levels]
    figures = np.concatenate([of.values[place].ravel() for place in places])
    marks = np.concatenate([of.markers[place].ravel() for place in places]).astype(np.int64)
    below, value = told.numbers["denominator"], told.numbers["value"]
    furthest = {"controlled-rounding": manifest.base - 1, "conventional-rounding": manifest.base // 2}
    error = furthest.get(manifest.method, 0)
    weak = np.array([error > share * int(figure) for figure in np.unique(figures)])[
        np.unique(figures, return_inverse=True)[1]
    ]
    wanted = np.select(
        [marks != 0, below == BLANK, below == 0, weak], [marks, MARKERS.index("x"), MARKERS.index("z"), BESIDE], 0
    )
    _each(
        wanted != told.markers,
        "rate marker",
        "is not the marker that figure and denominator give",
        told.file,
        told.layout,
        notes,
    )
    worked = (told.markers == 0) | (told.markers == BESIDE)
    divisor = np.where(worked & (below > 0), below, 1).astype(object)
    product = figures.astype(object) * per * 10 ** told.decimals["value"]
    rates = (2 * product + divisor) // (2 * divisor)
    wrong = worked & (below > 0) & (value != BLANK) & (rates.astype(np.int64) != value)
    _each(wrong, "rate", "is not the published figure on the denominator beside it", told.file, told.layout, notes)
    _each((below < 0) & (below != BLANK), "denominator", "is below 0", told.file, told.layout, notes)


def _check_estimates(told: Derived, notes: Notes) -> None:
    """Limits on both sides of every estimate, none without one; u wherever a stated rule says so."""
    value, lower, upper = (told.numbers[name] for name in COLUMNS["estimate"][:3])
    shown = value != BLANK
    alone = (lower == BLANK) != ~shown
    alone |= (upper == BLANK) != ~shown
    _each(
        alone, "limits", "has limits without an estimate, or an estimate without limits", told.file, told.layout, notes
    )
    wrong = shown & ~alone & ((lower > value) | (upper < value))
    _each(wrong, "limits", "lies outside its own confidence limits", told.file, told.layout, notes)
    rules = told.facts.get("low_reliability")
    if not isinstance(rules, dict):
        notes.wrong("metadata", told.file, "does not tell by which rules estimates are of low reliability")
        return
    weak = shown & ~alone & _weak(told, rules)
    marked = told.markers == BESIDE
    _each(
        weak & ~marked,
        "reliability",
        "is of low reliability by the stated rules, and not marked u",
        told.file,
        told.layout,
        notes,
    )
    if not rules.get("marked_by_source"):
        _each(marked & ~weak, "reliability", "is marked u, and no stated rule says so", told.file, told.layout, notes)


def _weak(told: Derived, rules: Mapping[str, object]) -> np.ndarray:
    value, lower, upper = (
        np.where(told.numbers[one] == BLANK, 0, told.numbers[one]) for one in COLUMNS["estimate"][:3]
    )
    width = upper - lower
    weak = np.zeros(len(width), bool)
    if rules.get("max_half_width") is not None:
        limit = 2 * Fraction(str(rules["max_half_width"])) * 10 ** told.decimals["value"]
        weak |= np.array([int(one) > limit for one in width], bool)
    if rules.get("max_cv") is not None:
        z = NormalDist().inv_cdf((1 + float(str(told.facts["confidence"]))) / 2)
        weak |= width > 2 * z * float(str(rules["max_cv"])) * np.abs(value)
    if rules.get("min_base") is not None and "base" in told.numbers:
        base = told.numbers["base"]
        weak |= (base != BLANK) & (base < int(str(rules["min_base"])))
    return weak


def _check_parquet(path: Path, told: Derived, notes: Notes) -> None:
    """The rows of the CSV with types: text, whole numbers as int64, others as decimals."""
    file = told.file.replace(".csv", ".parquet")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError):
        notes.wrong("parquet", file, "is missing or cannot be read")
        return
    names = list(told.long.column_names)
    if table.column_names != names or table.num_rows != told.long.num_rows:
        notes.wrong("parquet", file, "has other columns, or another number of rows, than the CSV")
        return
    for name in names:
        kind = table.schema.field(name).type
        places = told.decimals.get(name)
        right = (
            pa.types.is_string(kind)
            if places is None
            else kind == pa.int64()
            if not places
            else kind.equals(pa.decimal128(18, places))
        )
        if not right:
            notes.wrong("parquet", file, f"the column '{name}' is of another type than it must be")
            continue
        texts = pc.fill_null(table[name].cast(pa.string()), "")
        different = pc.not_equal(texts, told.long[name]).to_numpy()
        _each(different, "parquet", f"has another {name} than the CSV", file, told.layout, notes)


def _each(wrong: np.ndarray, kind: str, what: str, file: str, layout: Layout, notes: Notes) -> None:
    rows = np.flatnonzero(wrong)
    for row in rows[:SHOWN].tolist():
        notes.wrong(kind, file, what, cell=layout.cell_of_row(row))
    notes.more(kind, file, max(0, len(rows) - SHOWN))
