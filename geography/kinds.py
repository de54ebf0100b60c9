"""Kinds of areas, told from their codes: which areas are local authorities or larger, and which are output areas.

The first three characters of a nine-character code say what kind of area it is.  Areas of
one's own have other codes: their level says what kind it is (``declared``).  A level above local authorities is at
or above them whatever its codes, for its areas are made up of whole ones.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from geography.areas import Areas

__all__ = ["DECLARABLE", "Kind", "kind_of_code", "kind_of_level", "levels_at_or_above", "scottish_output_areas"]


class Kind(IntEnum):
    """How large areas are; a larger number is a larger kind."""

    OUTPUT_AREA = 1
    SMALL_AREA = 2
    LOCAL_AUTHORITY = 3
    REGION = 4
    COUNTRY = 5


DECLARABLE = {
    "output area": Kind.OUTPUT_AREA,
    "small area": Kind.SMALL_AREA,
    "local authority": Kind.LOCAL_AUTHORITY,
    "region": Kind.REGION,
    "country": Kind.COUNTRY,
}
"""Words by which a level of areas of one's own may say its kind."""

# Local authorities: unitary authorities, non-metropolitan and metropolitan districts, London boroughs; principal areas of
# Wales; council areas of Scotland; districts of Northern Ireland.  W08 are the made-up ones of `geography.country`.
LOCAL_AUTHORITIES = ("E06", "E07", "E08", "E09", "W06", "S12", "N09", "W08")
# Made up of whole local authorities: counties, inner and outer London, regions, combined authorities (W12 is made up).
REGIONS = ("E10", "E11", "E12", "E13", "E47", "W12")
COUNTRIES = ("E92", "W92", "S92", "N92", "K02", "K03", "K04")
OUTPUT_AREAS = ("E00", "W00", "S00", "N00")
SMALL_AREAS = ("E01", "E02", "W01", "W02", "S01", "S02", "N20", "N21")
SCOTTISH_OUTPUT_AREA = "S00"

_KINDS: Mapping[str, Kind] = {
    prefix: kind
    for kind, prefixes in (
        (Kind.OUTPUT_AREA, OUTPUT_AREAS),
        (Kind.SMALL_AREA, SMALL_AREAS),
        (Kind.LOCAL_AUTHORITY, LOCAL_AUTHORITIES),
        (Kind.REGION, REGIONS),
        (Kind.COUNTRY, COUNTRIES),
    )
    for prefix in prefixes
}


def kind_of_code(code: str) -> Kind | None:
    """The kind of an area by its code; None for codes that say none.

    >>> kind_of_code("E09000033").name, kind_of_code("S00088956").name, kind_of_code("WARD 7")
    ('LOCAL_AUTHORITY', 'OUTPUT_AREA', None)
    """
    official = len(code) == 9 and code[3:].isascii() and code[3:].isdigit()
    return _KINDS.get(code[:3]) if official else None


def kind_of_level(codes: np.ndarray, declared: str = "") -> Kind | None:
    """The kind of a level: the smallest of its areas'.

    What the level declares holds for codes that say nothing, and never makes
    an area larger than its code says; None where an area says nothing and nothing is declared.

    Raises
    ------
    ValueError
        `declared` is none of `DECLARABLE`.
    """
    if declared and declared not in DECLARABLE:
        raise ValueError(f"kind ({declared}) must be one of {', '.join(DECLARABLE)}")
    said = {kind_of_code(str(code)) for code in _one_of_each(codes)}
    known = [kind for kind in said if kind is not None]
    if declared:
        known.append(DECLARABLE[declared])
    return None if None in said and not declared else min(known)


def levels_at_or_above(areas: Areas, kind: Kind, declared: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The levels whose every area is at least of that kind, smallest first; `declared` is level → kind in words."""
    told = declared or {}
    for index, (level, codes) in enumerate(zip(areas.levels, areas.codes, strict=True)):
        found = kind_of_level(codes, told.get(level, ""))
        if found is not None and found >= kind:
            return areas.levels[index:]
    return ()


def scottish_output_areas(areas: Areas) -> tuple[str, ...]:
    """The levels that hold output areas of Scotland, for which no figures may be released."""
    return tuple(
        level
        for level, codes in zip(areas.levels, areas.codes, strict=True)
        if any(str(code).startswith(SCOTTISH_OUTPUT_AREA) and kind_of_code(str(code)) for code in _one_of_each(codes))
    )


def _one_of_each(codes: np.ndarray) -> np.ndarray:
    """Codes, one for each first three characters among those of the official form; all others as they stand."""
    texts = np.asarray(codes).astype(str)
    official = np.char.str_len(texts) == 9
    official &= np.char.isdigit(np.char.lstrip(np.char.replace(texts, " ", "x"), "EWSNKJLM"))
    _, first = np.unique(texts[official].astype("U3"), return_index=True)
    return np.concatenate([texts[official][first], texts[~official]])
