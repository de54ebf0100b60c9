"""The metadata beside a published table, read back: tree, dimensions, categories, method."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common.faults import Fault, InputError
from reports.metadata import FORM, MORE_PARAMETERS, find_block, metadata_path
from sdc.tables import Classification, Hierarchy, Method

__all__ = ["Told", "read_told"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Told:
    """What metadata tell of a table; see `reports.metadata`.  `further` are parameters beside base and min_count; `population` is
    what the table counts, blank where all tables of its release count the same."""

    path: Path
    hierarchy: Hierarchy
    classification: Classification
    method: str
    base: int
    min_count: int
    further: Mapping[str, Any]
    total: str
    level_column: str
    area_column: str
    population: str = ""


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
    if "margins" in block:
        found = "has several margins of several dimensions, which is no network and is not honoured yet"
        raise _fault(path, found, "attack it as it is protected, with protect --attack")
    nests = block.get("nests")
    if isinstance(nests, list) and len(nests) > 1:
        found = "has several nests: two hierarchies at once are no network and are not honoured yet"
        raise _fault(path, found, "attack a table of one nest")
    try:
        return _told(path, block)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        raise _fault(path, "does not tell tree, categories and method as it must", "write the table again") from None


def _told(path: Path, block: Mapping[str, Any]) -> Told:
    nest, method = block["nests"][0], block["method"]
    tree = nest["tree"]
    told = Told(
        path=path,
        hierarchy=Hierarchy(
            levels=tuple(str(level["level"]) for level in tree),
            codes=tuple(np.array([str(code) for code in level["codes"]]) for level in tree),
            parents=tuple(_parents(level["parents"]) for level in tree[:-1]),
        ),
        classification=Classification(
            dimensions=tuple(str(name) for name in block["dimensions"]),
            categories=tuple(tuple(str(code) for code in category) for category in block["categories"]),
        ),
        method=str(method["name"]),
        base=_whole(method["base"]),
        min_count=_whole(method["min_count"]),
        further={name: method[name] for name in MORE_PARAMETERS if name in method},
        total=str(block["total"]),
        level_column=str(nest["level_column"]),
        area_column=str(nest["column"]),
        population=str(block.get("population", "")),
    )
    if told.base < 1 or told.min_count < 2 or len(set(told.hierarchy.levels)) != len(tree):
        raise ValueError("base, min_count or levels are out of range")
    Method(name=told.method, base=told.base, min_count=told.min_count, **told.further)
    return told


def _parents(plain: list[object]) -> np.ndarray:
    return np.array([_whole(one) for one in plain], dtype=np.int32)


def _whole(plain: object) -> int:
    if not isinstance(plain, int) or isinstance(plain, bool):
        raise TypeError("not a whole number")
    return plain


def _fault(path: Path, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="metadata", file=str(path), found=found, mend=mend)])
