"""What is told to programs beside a table: ``FILE-metadata.json``.

The name of the file is the table's own file name with ``-metadata.json``
behind it (``benefit.csv-metadata.json``, ``counts.parquet-metadata.json``).
Everything an attack needs stands in one object, the *block*, so that the
public file and this one together are enough:

``form``
    whole number, 1: the version of this form.
``software``
    text, such as ``smallarea 0.1.0``.
``file``
    text: name of the table's file, without a folder.
``columns``
    list of text: columns of the long form, in order.
``method``
    object: ``name`` (text), ``base`` (whole number, 1 for exact figures) and
    ``min_count`` (whole number, at least 2); where they are not what a method does
    by itself, ``aim`` (text), ``share``, ``steps``, ``max_round`` and ``zeros``, see
    `sdc.tables.Method`.
``nests``
    list with one object per nested hierarchy, the areas first: ``level_column``
    and ``column`` (text: the two columns that hold level and code) and
    ``tree``, a list of levels, smallest first.  Each level is an object:
    ``level`` (text), ``codes`` (list of text, sorted by code point, unique) and,
    in every level but the last, ``parents`` (list of whole numbers, one per
    code: the place, from 0, of its parent in the next level's ``codes``).
``dimensions``
    list of text: the flat dimensions, in the order of their columns.
``categories``
    list with one list per published category, sorted by code point: one code
    per dimension.  Empty where totals alone are published.  Every area also
    has the row ``Total``, ... , ``Total``.
``margins``
    only where more margins than the finest categories and their total are
    published: a list of lists of dimensions, one for each set of dimensions that
    figures are told by, all others being at ``total``.
``population``
    text, only where some tables of the release count claims and some people:
    what this table counts.
``measure``
    text, only of flows: which flow, and the day that its window is counted from, such as
    ``on-flow since 2026-02-28``.
``total``
    text, ``Total``: how a margin is written in the dimensions' columns.
``markers``
    object: each marker that may stand in the column ``marker``, with its meaning.
``zero``
    text: what a published 0 stands for.

`protect` writes ``{"smallarea": block}``.  A release folder's CSVW file holds
the same block as ``notes[0]["smallarea"]``.  `find_block` finds it in both.
Nothing measured against the truth is in it: parameters are an allow-list.
"""

import json
from collections.abc import Collection
from itertools import product
from pathlib import Path
from typing import Any

from reports.longcells import cell_columns
from reports.longform import AREA_COLUMNS, long_columns
from reports.statements import words, zero_meaning
from sdc.cube import Cube
from sdc.system import SafeCells
from sdc.tables import TOTAL, Hierarchy, Method, SafeTable

__all__ = [
    "BLOCK",
    "DERIVED",
    "FORM",
    "MORE_PARAMETERS",
    "cube_block",
    "find_block",
    "is_derived",
    "json_text",
    "metadata_block",
    "metadata_path",
    "public_method",
    "write_metadata",
]

BLOCK = "smallarea"
# What the first note of a derived table is called: it has no block, for it tells nothing that an attack could use.
DERIVED = "derived"
FORM = 1
# Parameters of a method that may be told.  A new one must be put here on purpose.
PUBLIC_PARAMETERS = ("name", "base", "min_count")
MORE_PARAMETERS = ("aim", "share", "steps", "max_round", "zeros")


def metadata_path(file: Path) -> Path:
    """Where the metadata of a table's file lies: beside it, ``FILE-metadata.json``."""
    return file.with_name(f"{file.name}-metadata.json")


def metadata_block(safe: SafeTable, *, file: str, software: str, measure: str = "") -> dict[str, Any]:
    """The block that the module's docstring describes, as plain data."""
    level_column, column = AREA_COLUMNS
    more = {"measure": measure} if measure else {}
    return {
        "form": FORM,
        "software": software,
        "file": file,
        "columns": list(long_columns(safe)),
        "method": public_method(safe.method),
        "nests": [{"level_column": level_column, "column": column, "tree": _tree(safe.hierarchy)}],
        "dimensions": list(safe.classification.dimensions),
        "categories": [list(category) for category in safe.classification.categories],
        "total": TOTAL,
        "markers": dict(words("metadata")["markers"]),
        "zero": zero_meaning(safe.method),
        **more,
    }


def cube_block(cube: Cube, cells: SafeCells, *, file: str, software: str) -> dict[str, Any]:
    """The block of a table with several margins: as `metadata_block`, with ``margins``."""
    level_column, column = AREA_COLUMNS
    others = cube.axes[1:]
    flat = [axis for axis in others if len(axis.hierarchy.levels) == 1]
    nests = [axis for axis in others if len(axis.hierarchy.levels) > 1]
    return {
        "form": FORM,
        "software": software,
        "file": file,
        "columns": list(cell_columns(cube)),
        "method": public_method(cells.method),
        "nests": [
            {"level_column": level_column, "column": column, "tree": _tree(cube.axes[0].hierarchy)},
            *(
                {"level_column": f"{axis.name}_level", "column": axis.name, "tree": _tree(axis.hierarchy)}
                for axis in nests
            ),
        ],
        "dimensions": [axis.name for axis in flat],
        "categories": [list(each) for each in product(*(axis.hierarchy.codes[0].tolist() for axis in flat))],
        "margins": [[axis.name for axis in others if axis.name in margin] for margin in cube.margins],
        "total": TOTAL,
        "markers": dict(words("metadata")["markers"]),
        "zero": zero_meaning(cells.method),
    }


def write_metadata(safe: SafeTable, file: Path, *, software: str) -> Path:
    """Write the metadata of the table in `file` beside it, and say where: ``FILE-metadata.json``."""
    block = metadata_block(safe, file=file.name, software=software)
    path = metadata_path(file)
    path.write_text(json_text({BLOCK: block}), encoding="utf-8")
    return path


def find_block(document: object) -> dict[str, Any] | None:
    """The block in a parsed ``-metadata.json``, ours or CSVW; None where there is none."""
    if not isinstance(document, dict):
        return None
    notes = document.get("notes")
    for holder in (document, *(notes if isinstance(notes, list) else ())):
        if isinstance(holder, dict) and isinstance(holder.get(BLOCK), dict):
            found: dict[str, Any] = holder[BLOCK]
            return found
    return None


def is_derived(file: Path) -> bool:
    """Whether a table's CSVW metadata, ``<id>.csv-metadata.json`` beside it, says that it was worked out from others."""
    try:
        document = json.loads(metadata_path(file).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    notes = document.get("notes") if isinstance(document, dict) else None
    first = notes[0] if isinstance(notes, list) and notes else None
    return isinstance(first, dict) and isinstance(first.get(DERIVED), dict)


def public_method(method: Method) -> dict[str, object]:
    """What may be told of a method: name, base, min_count, and what is not as the method does it by itself."""
    usual = Method(name=method.name, base=method.base, min_count=method.min_count)
    more = [name for name in MORE_PARAMETERS if getattr(method, name) != getattr(usual, name)]
    return {name: getattr(method, name) for name in (*PUBLIC_PARAMETERS, *more)}


def _tree(hierarchy: Hierarchy) -> list[dict[str, Any]]:
    tree: list[dict[str, Any]] = [
        {"level": level, "codes": codes.tolist()}
        for level, codes in zip(hierarchy.levels, hierarchy.codes, strict=True)
    ]
    for level, parents in zip(tree, hierarchy.parents, strict=False):
        level["parents"] = parents.tolist()
    return tree


def json_text(document: dict[str, Any], flat: Collection[str] = ("codes", "parents", "categories", "columns")) -> str:
    """JSON that people can read: indented by two, but lists named in `flat` stand on one line.

    A tree of the country has 232,000 codes; a line for each would help nobody.
    """
    return _indented(document, "", frozenset(flat)) + "\n"


def _indented(value: object, margin: str, flat: frozenset[str]) -> str:
    deeper = margin + "  "
    if isinstance(value, dict) and value:
        lines = []
        for key, inner in value.items():
            plain = key in flat and _is_flat(inner)
            text = json.dumps(inner, ensure_ascii=False) if plain else _indented(inner, deeper, flat)
            lines.append(f"{deeper}{json.dumps(key, ensure_ascii=False)}: {text}")
        return "{\n" + ",\n".join(lines) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(deeper + _indented(inner, deeper, flat) for inner in value) + f"\n{margin}]"
    return json.dumps(value, ensure_ascii=False)


def _is_flat(value: object) -> bool:
    """A list without objects: CSVW's list of column descriptions is not."""
    return isinstance(value, list) and not (value and isinstance(value[0], dict))
