"""Made-up areas and postcodes of a country of any size, without boundaries, in about a second.

Numbers of areas per level and their unevenness follow England and Wales in
2021; which area lies in which is made up, and neighbours are neighbours in
code order only.
"""

from dataclasses import dataclass

import numpy as np

from geography.areas import Areas
from geography.lookups import MADE_LEVELS
from geography.madepostcodes import made_postcodes
from geography.placenames import block_names, lettered, write_digits
from geography.postcodes import Postcodes

__all__ = ["NATIONAL", "Country", "make_country"]

NATIONAL = 188_880
"""Output areas of England and Wales at the 2021 census."""

# Areas of England and Wales per level above the output area (LSOAs, MSOAs, local authorities, regions, countries).
# Wales counts as one region of its own.
PER_LEVEL = (35_672, 7_264, 331, 10, 2)

# How unevenly children fall to parents, per level above: the shape of a gamma distribution, small for uneven.
# LSOAs and MSOAs were built to a size; authorities run from 1,000 people to a million.
EVENNESS = (12.0, 12.0, 1.6, 12.0, 12.0)
POSTCODES_PER_OA = 9

FIRST_NUMBER = 500_001
"""Codes count up from here, above all numbers in use, so that none is a real area's."""

PREFIXES = ("00", "01", "02", "08", "12", "92")


@dataclass(frozen=True, kw_only=True, eq=False)
class Country:
    """Areas on the levels of `lookups.MADE_LEVELS`, and the postcodes in them."""

    areas: Areas
    postcodes: Postcodes


def make_country(*, areas: int = NATIONAL, seed: int, postcodes_per_area: int = POSTCODES_PER_OA) -> Country:
    """A country of `areas` output areas, with the levels above in national proportion.

    For `areas` = 188,880: 35,672 LSOAs, 7,264 MSOAs, 331 local authorities, 10 regions, 2 countries.
    Every area has at least one below it and every output area at least one postcode, `postcodes_per_area` on average.

    Raises
    ------
    ValueError
        A number is below 1 or too large for codes or postcodes to be given.
    """
    if not 1 <= areas <= 1_000_000 - FIRST_NUMBER:
        raise ValueError(f"areas ({areas}) must be 1 to {1_000_000 - FIRST_NUMBER}, so that six digits tell them apart")
    if postcodes_per_area < 1:
        raise ValueError(f"postcodes_per_area ({postcodes_per_area}) must be at least 1")
    rng = np.random.default_rng(seed)
    sizes = [areas, *(min(max(round(areas * above / NATIONAL), 1), areas) for above in PER_LEVEL[:-1])]
    # The second country is a region of its own, as Wales is.
    parents = [
        _share_out(below, above, even, rng) for below, above, even in zip(sizes[:-1], sizes[1:], EVENNESS, strict=False)
    ]
    parents.append(np.minimum(np.arange(sizes[-1]) // max(sizes[-1] - 1, 1), 1).astype(np.int32))
    nation = _nations(parents)
    count = areas * postcodes_per_area
    return Country(
        areas=_name_areas(parents, nation),
        postcodes=Postcodes(postcodes=made_postcodes(count), area=_share_out(count, areas, 3.0, rng)),
    )


def _share_out(children: int, parents: int, evenness: float, rng: np.random.Generator) -> np.ndarray:
    """The parent of each child, in order, every parent with at least one: int32 of shape (children,)."""
    weights = rng.standard_gamma(evenness, parents)
    counts = 1 + rng.multinomial(children - parents, weights / weights.sum())
    return np.repeat(np.arange(parents, dtype=np.int32), counts)


def _nations(parents: list[np.ndarray]) -> list[np.ndarray]:
    """Per level, the country (0 or 1) of each area."""
    nation = [np.arange(int(parents[-1].max()) + 1)]
    for parent in reversed(parents):
        nation.insert(0, nation[0][parent])
    return nation


def _name_areas(parents: list[np.ndarray], nation: list[np.ndarray]) -> Areas:
    lads, regions = nation[3], nation[4]
    lad_names = write_digits("Authority ", np.arange(1, len(lads) + 1), 3)
    msoa_names = block_names(lad_names, parents[2])
    return Areas(
        levels=tuple(level.name for level in MADE_LEVELS),
        codes=tuple(_codes(kind, of) for kind, of in zip(PREFIXES, nation, strict=True)),
        names=(
            np.full(len(nation[0]), ""),
            lettered(msoa_names, parents[1]),
            msoa_names,
            lad_names,
            write_digits("Region ", np.arange(1, len(regions) + 1), 2),
            write_digits("Country ", np.arange(1, len(nation[5]) + 1), 1),
        ),
        parents=tuple(parents),
    )


def _codes(kind: str, nation: np.ndarray) -> np.ndarray:
    """Codes that begin with E in the first country and with W in the second, numbered from `FIRST_NUMBER` in each."""
    first = int(np.sum(nation == 0))
    english = write_digits("E" + kind, np.arange(first) + FIRST_NUMBER, 6)
    return np.concatenate([english, write_digits("W" + kind, np.arange(len(nation) - first) + FIRST_NUMBER, 6)])
