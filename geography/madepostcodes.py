"""Made-up postcodes in the real form, with areas (first letters) that are not in use."""

import numpy as np

from geography.placenames import join_letters

__all__ = ["made_postcodes"]

# Of the postcode areas that begin with Z only ZE is in use; the second letter is never I, J or Z.
AREAS = tuple("Z" + letter for letter in "ABCDFGHKLMNOPQRSTUVWXY")
# The last two letters are never C, I, K, M, O or V.
UNITS = "ABDEFGHJLNPQRSTUWXYZ"
DISTRICTS = 90
SECTORS = 10


def made_postcodes(count: int, *, first_area: str = "ZA") -> np.ndarray:
    """The first `count` made-up postcodes without a space, such as ``ZA101AA``: text of shape (count,), sorted, unique.

    They count up through unit letters, sectors (0–9), districts (10–99) and
    areas, so that neighbours in order share sector and district.

    Raises
    ------
    ValueError
        There are not so many, or the area is not a made-up one.
    """
    if first_area not in AREAS:
        raise ValueError(f"first_area ({first_area}) must be one of {', '.join(AREAS)}")
    units = len(UNITS) ** 2
    start = AREAS.index(first_area) * DISTRICTS * SECTORS * units
    if start + count > len(AREAS) * DISTRICTS * SECTORS * units:
        raise ValueError(f"count ({count}) must be at most {len(AREAS) * DISTRICTS * SECTORS * units - start}")
    return write_postcodes(np.arange(start, start + count))


def write_postcodes(numbers: np.ndarray) -> np.ndarray:
    """The postcode of each whole number: number = ((area × 90 + district) × 10 + sector) × 400 + unit."""
    points = np.array([ord(letter) for letter in UNITS], dtype=np.uint32)
    areas = np.array([[ord(letter) for letter in area] for area in AREAS], dtype=np.uint32)
    rest, unit = np.divmod(numbers, len(UNITS) ** 2)
    rest, sector = np.divmod(rest, SECTORS)
    area, district = np.divmod(rest, DISTRICTS)
    letters = np.empty((len(numbers), 7), dtype=np.uint32)
    letters[:, :2] = areas[area]
    letters[:, 2] = (district + 10) // 10 + ord("0")
    letters[:, 3] = (district + 10) % 10 + ord("0")
    letters[:, 4] = sector + ord("0")
    letters[:, 5] = points[unit // len(UNITS)]
    letters[:, 6] = points[unit % len(UNITS)]
    return join_letters(letters)
