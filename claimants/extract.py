"""An extract of claims, opened so that only the columns that are needed are read."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimants.csvfiles import ENCODINGS, diagnose_csv
from claimants.dates import DATE_FORMS
from claimants.dictionary import Dictionary, shipped_dictionary
from claimants.engine import CsvForm, Engine, EngineRefusal, guarded
from claimants.files import FORMATS, Layout, diagnose_parquet, find_files, read_layout
from common.faults import Faults, InputError

__all__ = ["Extract", "ExtractSpec", "Need", "open_extract"]

ENDS = ("inclusive", "exclusive")


@dataclass(frozen=True, kw_only=True)
class ExtractSpec:
    """Where an extract is and how it is written: one row per claim.

    Attributes
    ----------
    paths : files, folders (their .csv or .parquet files) or patterns.
    format : "csv" or "parquet"; None goes by the endings.
    encoding : of CSV files; a byte order mark is tolerated.
    delimiter : of CSV files.
    end : "inclusive" if a claim is live on its end date, "exclusive" if not.
    dates : form of dates that are written as text: "iso" (YYYY-MM-DD) or "day-first" (DD/MM/YYYY).
    columns : field of the dictionary → column of the file, where they differ.
    values : field → value in the file → code of the code list.
    dictionary : what each field may be read for.

    Raises
    ------
    ValueError
        An attribute is not one of those named.
    """

    paths: tuple[Path, ...]
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    end: str = "inclusive"
    dates: str = "iso"
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dictionary: Dictionary = field(default_factory=shipped_dictionary)

    def __post_init__(self) -> None:
        if not self.paths:
            raise ValueError("paths must name at least one file or folder")
        if self.format not in (None, *FORMATS):
            raise ValueError(f"format ({self.format}) must be one of {', '.join(FORMATS)}")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding ({self.encoding}) must be one of {', '.join(ENCODINGS)}")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ValueError("delimiter must be one character and no quotation mark or line end")
        if self.end not in ENDS:
            raise ValueError(f"end ({self.end}) must be one of {', '.join(ENDS)}")
        if self.dates not in DATE_FORMS:
            raise ValueError(f"dates ({self.dates}) must be one of {', '.join(DATE_FORMS)}")

    def column(self, name: str) -> str:
        """The column of the file that holds a field."""
        return self.columns.get(name, name)


@dataclass(frozen=True, kw_only=True)
class Need:
    """A field that is wanted, for which purpose, and whether the extract must have it."""

    field: str
    purpose: str
    required: bool = True
    date: bool = False


@dataclass(frozen=True, kw_only=True)
class Extract:
    """An opened extract.

    Attributes
    ----------
    parts : Ibis tables, one per layout of files, their columns named by field.
        A field that was not required and is not there is missing from its part.
    absent : fields that were asked for and that some file lacks.
    rows : rows of all files where the files say so (Parquet) or the engine has read them through, else None.
    """

    spec: ExtractSpec
    form: str
    layouts: tuple[Layout, ...]
    needs: tuple[Need, ...]
    parts: tuple[Any, ...]
    absent: tuple[str, ...]
    rows: int | None

    def explain_refusal(self) -> InputError:
        """Look for what kept the engine from reading the files, and say where."""
        return _explain(self.spec, self.form, self.layouts, self.needs)


def _explain(spec: ExtractSpec, form: str, layouts: Sequence[Layout], needs: Sequence[Need]) -> InputError:
    faults = Faults()
    for layout in layouts:
        if form == "csv":
            diagnose_csv(layout.path, len(layout.columns), spec.encoding, spec.delimiter, faults)
        else:
            wanted = {spec.column(need.field) for need in needs}
            diagnose_parquet(layout.path, [name for name in layout.columns if name in wanted], faults)
    if not faults.found:
        where = ", ".join(map(str, spec.paths))
        faults.add("unreadable file", "the extract cannot be read", "write it again", file=where)
    return InputError(faults.found)


def open_extract(connection: Engine, spec: ExtractSpec, needs: Sequence[Need]) -> Extract:
    """Open the files of an extract as Ibis tables of the fields that are needed.

    Raises
    ------
    InputError
        A file is missing, empty, in another encoding or no Parquet, lacks a
        required column, holds one twice or with a type that the field cannot
        have; or the spec names fields that the dictionary does not have.
    PermissionError
        A field is asked for a purpose that the dictionary does not give it.
    """
    for need in needs:
        spec.dictionary.permit(need.field, need.purpose)
    faults = Faults()
    _check_names(spec, faults)
    paths, form = find_files(spec.paths, spec.format, faults)
    read = [read_layout(path, form, spec.encoding, spec.delimiter, faults) for path in paths]
    layouts = [layout for layout in read if layout is not None]
    for layout in layouts:
        _check_columns(layout, spec, needs, faults)
    faults.raise_if_any()
    present = [{need.field for need in needs if spec.column(need.field) in layout.columns} for layout in layouts]
    try:
        opened = guarded(lambda: _open_parts(connection, spec, form, layouts, needs))
    except EngineRefusal:
        opened = None
    if opened is None:
        raise _explain(spec, form, layouts, needs)
    parts, rows = opened
    return Extract(
        spec=spec,
        form=form,
        layouts=tuple(layouts),
        needs=tuple(needs),
        parts=tuple(parts),
        absent=tuple(need.field for need in needs if any(need.field not in fields for fields in present)),
        rows=rows,
    )


def _check_names(spec: ExtractSpec, faults: Faults) -> None:
    known = spec.dictionary.fields
    for table, names in (("columns", spec.columns), ("values", spec.values)):
        for name in names:
            if name not in known:
                mend = "use a field of the data dictionary"
                faults.add("unknown field", f"'{name}' is no field of an extract", mend, key=f"claims.{table}")


def _check_columns(layout: Layout, spec: ExtractSpec, needs: Sequence[Need], faults: Faults) -> None:
    times = Counter(layout.columns)
    for need in needs:
        name, file = spec.column(need.field), str(layout.path)
        if times[name] > 1:
            faults.add("column twice", "the column stands there twice", "rename one of them", file=file, column=name)
        elif times[name] == 0 and need.required:
            mend = f"add it, or name the column that holds it under [claims.columns] as {need.field}"
            similar = [other for other in layout.columns if _bare(other) == _bare(name)]
            found = "the column is missing" + (f" (there is '{similar[0]}')" if similar else "")
            faults.add("missing column", found, mend, file=file, column=name)
        elif times[name] == 1 and layout.types:
            type_ = layout.types[layout.columns.index(name)]
            if _mistakable(name, layout.columns):
                mend = "rename one of them"
                faults.add("column twice", "columns differ in capitals alone", mend, file=file, column=name)
            elif not _fits(type_, need.date):
                kind = "dates or text" if need.date else "text or whole numbers"
                found = f"the column is of type {_type_name(type_)}"
                faults.add("column type", found, f"write it as {kind}", file=file, column=name)


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _mistakable(name: str, columns: Sequence[str]) -> bool:
    """Whether an engine may take another column for this: it tells those alike but for capitals apart by _1, _2 …"""
    times = Counter(other.lower() for other in columns)
    return any(number > 1 and f"{name.lower()}_".startswith(f"{other}_") for other, number in times.items())


def _type_name(type_: pa.DataType) -> str:
    """The name of a type alone: what stands in it, such as names of parts and time zones, the file says and nobody else."""
    name = str(type_.value_type if pa.types.is_dictionary(type_) else type_)
    return next(iter(re.findall(r"^[a-z]\w*", name)), "unknown")


def _fits(type_: pa.DataType, date: bool) -> bool:
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return True
    if pa.types.is_null(type_):
        return True
    if date:
        return bool(pa.types.is_date(type_) or pa.types.is_timestamp(type_))
    return bool(pa.types.is_integer(type_))


def _open_parts(
    connection: Engine, spec: ExtractSpec, form: str, layouts: Sequence[Layout], needs: Sequence[Need]
) -> tuple[list[Any], int | None]:
    """One table per layout (files that agree in the order and type of their columns are read together), and all their rows."""
    alike: dict[tuple[object, ...], list[Layout]] = {}
    for layout in layouts:
        alike.setdefault((layout.columns, layout.types), []).append(layout)
    parts = []
    rows: list[int | None] = []
    for group in alike.values():
        columns = group[0].columns
        places = {need.field: columns.index(spec.column(need.field)) for need in needs if _has(need, spec, columns)}
        files = [layout.path for layout in group]
        if form == "parquet":
            types = {columns[place]: group[0].types[place] for place in places.values()}
            table = connection.read_parquet(files, types)
            parts.append(table.select(**{name: table[columns[place]] for name, place in places.items()}))
            rows += [layout.rows for layout in group]
        else:
            written = CsvForm(encoding=ENCODINGS[spec.encoding][1], delimiter=spec.delimiter)
            table, found = connection.read_csv(files, len(columns), written, sorted(set(places.values())))
            parts.append(table.select(**{name: table[f"c{place}"] for name, place in places.items()}))
            rows.append(found)
    return parts, None if None in rows else sum(found or 0 for found in rows)


def _has(need: Need, spec: ExtractSpec, columns: Sequence[str]) -> bool:
    return spec.column(need.field) in columns
