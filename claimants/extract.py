"""An extract of claims, opened so that only the columns that are needed are read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimants.dates import DATE_FORMS
from claimants.dictionary import Dictionary, shipped_dictionary
from claimants.engine import EngineRefusal, guarded
from claimants.files import ENCODINGS, FORMATS, Layout, diagnose_csv, diagnose_parquet, find_files, read_layout
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
    rows : rows of all files where the files say so (Parquet), else None.
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


def open_extract(connection: Any, spec: ExtractSpec, needs: Sequence[Need]) -> Extract:
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
        parts = guarded(lambda: _open_parts(connection, spec, form, layouts, needs))
    except EngineRefusal:
        parts = None
    if parts is None:
        raise _explain(spec, form, layouts, needs)
    return Extract(
        spec=spec,
        form=form,
        layouts=tuple(layouts),
        needs=tuple(needs),
        parts=tuple(parts),
        absent=tuple(need.field for need in needs if any(need.field not in fields for fields in present)),
        rows=sum(layout.rows or 0 for layout in layouts) if form == "parquet" else None,
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
            if not _fits(type_, need.date):
                kind = "dates or text" if need.date else "text or whole numbers"
                found = f"the column is of type {type_}"
                faults.add("column type", found, f"write it as {kind}", file=file, column=name)


def _bare(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


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
    connection: Any, spec: ExtractSpec, form: str, layouts: Sequence[Layout], needs: Sequence[Need]
) -> list[Any]:
    """One table per layout: files that agree in the order and type of their columns are read together."""
    alike: dict[tuple[object, ...], list[Layout]] = {}
    for layout in layouts:
        alike.setdefault((layout.columns, layout.types), []).append(layout)
    parts = []
    for group in alike.values():
        columns = group[0].columns
        present = [need.field for need in needs if spec.column(need.field) in columns]
        files = [_literal(layout.path) for layout in group]
        if form == "parquet":
            table = connection.read_parquet(files, hive_partitioning=False)
            parts.append(table.select(**{name: table[spec.column(name)] for name in present}))
        else:
            table = _read_csv(connection, files, len(columns), spec)
            parts.append(table.select(**{name: table[f"c{columns.index(spec.column(name))}"] for name in present}))
    return parts


def _read_csv(connection: Any, files: list[str], width: int, spec: ExtractSpec) -> Any:
    # Everything is stated, nothing guessed: columns by position and as text, so that
    # neither the header nor the first rows can change how the others are read.
    return connection.read_csv(
        files,
        columns={f"c{index}": "string" for index in range(width)},
        auto_detect=False,
        header=True,
        delim=spec.delimiter,
        quote='"',
        escape='"',
        strict_mode=True,
        encoding=ENCODINGS[spec.encoding][1],
        hive_partitioning=False,
    )


def _literal(path: Path) -> str:
    """A path as a pattern that matches itself alone."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path))
