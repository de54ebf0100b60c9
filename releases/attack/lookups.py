"""How divisions of one dimension lie on each other, from the lookups that ``[[overlap]]`` names, and from lists of areas."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults, InputError
from geography.nesting import encode_text
from releases.attack.known import KnownOverlap
from releases.counts.nests import places_of
from releases.files.tidyfile import quotable, read_header, read_tidy
from sdc.attack.joint import AREAS
from sdc.attack.overlaps import Overlap, overlap_of_trees
from sdc.tables import Hierarchy

__all__ = ["overlap_of_areas", "read_lookup"]

Columns = Mapping[str, np.ndarray]


def read_lookup(told: Sequence[KnownOverlap], faults: Faults) -> Columns | None:
    """The columns of all lookups of one dimension, row by row; None, with faults, where they cannot be read or put together.

    Lookups in several files are put together by a column that they share, if each of
    its codes has one row in one of them.
    """
    tables: dict[Path, list[str]] = {}
    for one in told:
        tables.setdefault(one.path, []).extend(one.columns)
    whole: Columns | None = None
    for path, columns in tables.items():
        try:
            read = _read(path, list(dict.fromkeys(columns)))
        except InputError as error:
            faults.extend(error)
            return None
        joined = read if whole is None else _joined(whole, read) or _joined(read, whole)
        if joined is None:
            found = "cannot be put together with the other lookups of its dimension: no code stands in one row alone"
            mend = "give one lookup with all the columns, a row for each part that none of them cuts"
            faults.add("overlap", found, mend, file=str(path))
            return None
        whole = joined
    return whole


def _read(path: Path, columns: Sequence[str]) -> Columns:
    """Distinct rows of the columns, codes without spaces around them."""
    tidy = read_tidy(path, needed=columns)
    coded = [encode_text(tidy.text.columns[name]) for name in columns]
    _, first = np.unique(np.stack([index for _, index in coded], axis=1), axis=0, return_index=True)
    return {
        name: np.char.strip(values)[index[np.sort(first)]] for name, (values, index) in zip(columns, coded, strict=True)
    }


def _joined(rows: Columns, more: Columns) -> Columns | None:
    """Rows with the columns of another lookup, by a column of which the other has each code once; None if there is none."""
    for name in (column for column in rows if column in more):
        codes, first, times = np.unique(more[name], return_index=True, return_counts=True)
        if times.max(initial=0) > 1:
            continue
        at = places_of(rows[name], codes)
        added = {
            column: np.where(at >= 0, texts[first][np.maximum(at, 0)], "")
            for column, texts in more.items()
            if column not in rows
        }
        return {**rows, **added}
    return None


def overlap_of_areas(
    trees: Sequence[Hierarchy], lookup: Columns | None, lists: Sequence[Path], faults: Faults
) -> tuple[Overlap | None, tuple[str, ...]]:
    """How the smallest areas of all trees lie on each other, and notices; None where the trees say it themselves, or nobody does.

    `lists` are the files that the trees came from: one that has the smallest areas of all
    of them, each in a column of its level's name, says it too.
    """
    smallest = list({(tree.levels[0], tuple(tree.codes[0].tolist())): tree for tree in trees}.values())
    if len(smallest) < 2:
        return None, ()
    notices: list[str] = []
    if lookup is None:
        levels = list(dict.fromkeys(tree.levels[0] for tree in smallest))
        lookup = None if len(levels) < 2 or overlap_of_trees(trees) is not None else _from_lists(levels, lists, notices)
        if lookup is None:
            return None, ()
    columns: dict[str, np.ndarray] = dict(lookup)
    used: list[tuple[Hierarchy, str]] = []
    for tree in smallest:
        level, codes = tree.levels[0], tree.codes[0]
        column = _column_of(level, codes, columns) or _derived(level, codes, columns, trees)
        if column is None:
            named = ", ".join(f"'{name}'" for name in columns)
            found = f"the lookup has {named}, and nothing says in which of them {level} {quotable(str(codes[0]))} lies"
            mend = f"give a lookup that has the codes of '{level}' too"
            faults.add("overlap", found, mend, key=f"overlap of {AREAS}")
            continue
        missing = np.setdiff1d(codes, columns[column])
        if len(missing):
            text = f"{len(missing):,} areas of {level} stand in no row of the lookup"
            notices.append(f"{text}: nothing else is known to lie in them")
            columns = {name: _longer(texts, missing, name == column) for name, texts in columns.items()}
        used.append((tree, column))
    return (Overlap.of(_divisions(used, columns)) if used else None), tuple(notices)


def _divisions(used: Sequence[tuple[Hierarchy, str]], columns: Columns) -> Columns:
    """The columns that trees are told by, called by their level.

    Where one level's name stands for several columns, such as two vintages, nothing is called by its level, so
    that units are found by their codes; then the levels above have divisions too.
    """
    told = list(dict.fromkeys((tree.levels[0], column) for tree, column in used))
    if len(dict(told)) == len(told):
        return {level: columns[column] for level, column in told}
    divisions: dict[str, np.ndarray] = {}
    for tree, column in used:
        divisions[f"column {column}"] = texts = columns[column]
        at = places_of(texts, tree.codes[0])
        for above in range(1, len(tree.levels)):
            codes = tree.codes[above][tree.ancestors(0, above)[np.maximum(at, 0)]]
            divisions[f"{tree.levels[above]} by column {column}"] = np.where(at >= 0, codes, "")
    return divisions


def _longer(texts: np.ndarray, codes: np.ndarray, own: bool) -> np.ndarray:
    """A column with a row for each of some codes: the code in the column they are of, nothing in others."""
    return np.concatenate([texts, codes if own else np.full(len(codes), "")])


def _from_lists(smallest: Sequence[str], lists: Sequence[Path], notices: list[str]) -> Columns | None:
    for path in dict.fromkeys(lists):
        if set(smallest) <= set(read_header(path)):
            notices.append(f"{path.name}: how {' and '.join(smallest)} lie on each other is taken from its rows")
            return _read(path, smallest)
    return None


def _column_of(level: str, codes: np.ndarray, columns: Columns) -> str | None:
    """The column that areas are told by: one with all of them, best of the level's name, else one of that name with some."""
    whole = [name for name, texts in columns.items() if np.isin(codes, texts).all()]
    if whole:
        return level if level in whole else whole[0]
    return level if level in columns and bool(np.isin(codes, columns[level]).any()) else None


def _derived(level: str, codes: np.ndarray, columns: dict[str, np.ndarray], trees: Sequence[Hierarchy]) -> str | None:
    """Add the column of a level that some tree has above a level that there is a column for, and name it; None where none has."""
    for tree in trees:
        if level not in tree.levels or not np.isin(codes, tree.codes[tree.levels.index(level)]).all():
            continue
        above = tree.levels.index(level)
        for below in range(above):
            column = _column_of(tree.levels[below], tree.codes[below], columns)
            if column is not None:
                at = places_of(columns[column], tree.codes[below])
                named = tree.codes[above][tree.ancestors(below, above)[np.maximum(at, 0)]]
                name = level if level not in columns else f"{level} of the list of areas"
                columns[name] = np.where(at >= 0, named, "")
                return name
    return None
