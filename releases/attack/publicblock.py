"""The metadata beside a published table, read back: tree, dimensions, categories, method."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.faults import Fault, InputError
from reports.metadata import FORM, MORE_PARAMETERS, find_block, metadata_path
from sdc.tables import Classification, Hierarchy, Method

__all__ = ["Told", "ToldNest", "read_told", "told_by"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ToldNest:
    """A further nest: the columns of its level and of its code, and its tree."""

    level_column: str
    column: str
    hierarchy: Hierarchy


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What metadata tell of a table; see `reports.metadata`.

    Attributes
    ----------
    hierarchy : the tree of the areas.
    classification : the flat dimensions.
    dimensions : names of all dimensions beside the areas, in the order of their columns: flat ones, and nests by
        their smallest level.
    nests : the nests beside the areas, by the name of their dimension.
    margins : sets of dimensions that figures are told by; None for the finest cells and their total.
    further : parameters of the method beside base and min_count.
    population : what the table counts, blank where all tables of its release count the same.
    measure : of a flow, which one and from what day; blank for a caseload.
    """

    path: Path
    hierarchy: Hierarchy
    classification: Classification
    dimensions: tuple[str, ...]
    method: str
    base: int
    min_count: int
    further: Mapping[str, Any]
    total: str
    level_column: str
    area_column: str
    population: str = ""
    measure: str = ""
    nests: Mapping[str, ToldNest] = field(default_factory=dict)
    margins: tuple[frozenset[str], ...] | None = None

    @property
    def is_network(self) -> bool:
        """Whether the table is an area tree by one flat classification with its finest cells and their total."""
        return not self.nests and self.margins is None


def read_told(table: Path) -> Told | None:
    """What ``FILE-metadata.json`` beside a table tells; None where it is missing or says nothing of ours.

    Raises
    ------
    InputError
        It cannot be read, or is of another form than it says.
    """
    path = metadata_path(table)
    if not path.is_file():
        return None
    try:
        block = find_block(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        raise _fault(path, "cannot be read as JSON", "write the table again, or take the file away") from None
    if block is None:
        return None
    if block.get("form") != FORM:
        raise _fault(path, f"is not of form {FORM}, the one known here", "use the version that wrote it")
    try:
        return told_by(path, block)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        raise _fault(path, "does not tell tree, categories and method as it must", "write the table again") from None


def told_by(path: Path, block: Mapping[str, Any]) -> Told:
    """What a block of ours tells.

    Raises
    ------
    KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError
        It is no block of this form.
    """
    nest, method = block["nests"][0], block["method"]
    nests = {str(one["column"]): _nest(one) for one in block["nests"][1:]}
    told = Told(
        path=path,
        hierarchy=_tree(nest["tree"]),
        dimensions=_in_order(block, nests),
        nests=nests,
        margins=_margins(block, nests),
        classification=Classification(
            dimensions=tuple(str(name) for name in block["dimensions"]),
            # A table by nests alone has one combination, of nothing.
            categories=tuple(tuple(str(code) for code in category) for category in block["categories"] if category),
        ),
        method=str(method["name"]),
        base=_whole(method["base"]),
        min_count=_whole(method["min_count"]),
        further={name: method[name] for name in MORE_PARAMETERS if name in method},
        total=str(block["total"]),
        level_column=str(nest["level_column"]),
        area_column=str(nest["column"]),
        population=str(block.get("population", "")),
        measure=str(block.get("measure", "")),
    )
    trees = [told.hierarchy, *(one.hierarchy for one in nests.values())]
    levels = [level for tree in trees for level in tree.levels]
    names = [*levels, *(name for name in told.dimensions if name not in nests)]
    if told.base < 1 or told.min_count < 2 or len(set(names)) != len(names):
        raise ValueError("base, min_count, levels or dimensions are out of range")
    Method(name=told.method, base=told.base, min_count=told.min_count, **told.further)
    return told


def _tree(plain: list[Mapping[str, Any]]) -> Hierarchy:
    return Hierarchy(
        levels=tuple(str(level["level"]) for level in plain),
        codes=tuple(np.array([str(code) for code in level["codes"]]) for level in plain),
        parents=tuple(_parents(level["parents"]) for level in plain[:-1]),
    )


def _nest(plain: Mapping[str, Any]) -> ToldNest:
    nest = ToldNest(
        level_column=str(plain["level_column"]), column=str(plain["column"]), hierarchy=_tree(plain["tree"])
    )
    if nest.hierarchy.levels[0] != nest.column:
        raise ValueError("a nest must have the name of its smallest level")
    return nest


def _in_order(block: Mapping[str, Any], nests: Mapping[str, ToldNest]) -> tuple[str, ...]:
    """Names of all dimensions, nests among them, as their columns stand."""
    flat = tuple(str(name) for name in block["dimensions"])
    if not nests:
        return flat
    names = tuple(str(name) for name in block["columns"] if str(name) in {*flat, *nests})
    if sorted(names) != sorted({*flat, *nests}):
        raise ValueError("columns must name every dimension once")
    return names


def _margins(block: Mapping[str, Any], nests: Mapping[str, ToldNest]) -> tuple[frozenset[str], ...] | None:
    if "margins" not in block:
        if nests:
            raise ValueError("a table with several nests must tell its margins")
        return None
    known = {*(str(name) for name in block["dimensions"]), *nests}
    margins = tuple(dict.fromkeys(frozenset(str(name) for name in margin) for margin in block["margins"]))
    if not margins or any(margin - known for margin in margins):
        raise ValueError("margins must be of the table's dimensions")
    return margins


def _parents(plain: list[object]) -> np.ndarray:
    return np.array([_whole(one) for one in plain], dtype=np.int32)


def _whole(plain: object) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise TypeError("not a whole number")
    return plain


def _fault(path: Path, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="metadata", file=str(path), found=found, mend=mend)])
