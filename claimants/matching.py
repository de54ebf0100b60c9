"""Made-up claims that equal published counts: how many claims each smallest area gets."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults

__all__ = ["match_counts", "read_counts", "scatter"]

OVERDISPERSION = 2.0


def scatter(total: int, homes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """`total` claims over areas, unevenly: int64 of shape (areas,), 0 where `homes` is 0.

    Weights are gamma with shape 2, so that the variance between areas is well
    above that of chance alone, as in real counts.
    """
    weights = rng.gamma(OVERDISPERSION, size=len(homes)) * (homes > 0)
    if total and not weights.sum():
        raise ValueError("areas must have at least one postcode between them")
    return rng.multinomial(total, weights / weights.sum()) if total else np.zeros(len(homes), np.int64)


def match_counts(
    codes: Sequence[str],
    values: Sequence[int],
    *,
    level_codes: np.ndarray,
    level_of_area: np.ndarray,
    homes: np.ndarray,
    seed: int,
    file: str = "",
) -> np.ndarray:
    """Claims of each smallest area, such that they sum to the value published for each area of a level.

    Parameters
    ----------
    codes, values : published areas of one level and their counts.
    level_codes : codes of all areas of that level, sorted.
    level_of_area : for each smallest area the index of its area of the level (`Hierarchy.ancestors`).
    homes : for each smallest area how many postcodes it has (1 each where claims carry output areas).

    Returns
    -------
    int64 of shape (smallest areas,).

    Raises
    ------
    InputError
        A code is unknown, comes twice or is missing, a value is no count, or
        claims are due where there is no postcode.
    """
    faults = Faults(file)
    wanted = _wanted(codes, values, level_codes, faults)
    room = np.bincount(level_of_area, weights=homes, minlength=len(level_codes))
    for code in level_codes[(wanted > 0) & (room == 0)]:
        faults.add("no postcode", f"area {code} has claims but no postcode", "give postcodes of that area")
    faults.raise_if_any()
    rng = np.random.default_rng([seed, 0x4D41])
    counts = np.zeros(len(level_of_area), dtype=np.int64)
    order = np.argsort(level_of_area, kind="stable")
    ends = np.cumsum(np.bincount(level_of_area, minlength=len(level_codes)))
    for index, members in enumerate(np.split(order, ends[:-1])):
        counts[members] = scatter(int(wanted[index]), homes[members], rng)
    return counts


def _wanted(codes: Sequence[str], values: Sequence[int], level_codes: np.ndarray, faults: Faults) -> np.ndarray:
    place = {code: index for index, code in enumerate(level_codes.tolist())}
    wanted = np.full(len(level_codes), -1, dtype=np.int64)
    for code, value in zip(codes, values, strict=True):
        if code not in place:
            faults.add("unknown area", f"area {code} is not in the lookup", "use areas of the level named")
        elif wanted[place[code]] >= 0:
            faults.add("area twice", f"area {code} has two values", "keep one period and one measure")
        elif value < 0:
            faults.add("no count", f"area {code} has a negative value", "give whole numbers from 0")
        else:
            wanted[place[code]] = value
    for index in np.flatnonzero(wanted < 0):
        if level_codes[index] not in codes:
            faults.add("area missing", f"area {level_codes[index]} has no value", "add it, with 0 if it is nil")
    return wanted


def read_counts(path: Path, *, code: str, value: str) -> tuple[list[str], list[int]]:
    """Codes and counts from two columns of a CSV file (UTF-8, byte order mark tolerated).

    Raises
    ------
    InputError
        The file or a column is missing, or a value is not a whole number from 0.
    """
    faults = Faults(str(path))
    codes: list[str] = []
    values: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for name in (code, value):
                if name not in (reader.fieldnames or ()):
                    faults.add("missing column", "the column is missing", "add or name it", column=name)
            faults.raise_if_any()
            for row in reader:
                text = (row[value] or "").strip()
                if text.isascii() and text.isdigit():
                    codes.append((row[code] or "").strip())
                    values.append(int(text))
                else:
                    mend = "give a whole number from 0"
                    faults.add("no count", f"'{text}' is no count", mend, row=reader.line_num, column=value)
    except FileNotFoundError:
        faults.add("missing file", "there is no such file", "name a CSV file of published counts")
    except UnicodeDecodeError:
        faults.add("encoding", "the file is not in UTF-8", "save it as UTF-8")
    faults.raise_if_any()
    return codes, values
