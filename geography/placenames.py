"""Names and codes for made-up areas: codes in the real nine-character form, names of places that are not there."""

import numpy as np

__all__ = ["AUTHORITIES", "COUNTRY", "REGION", "block_names", "lettered", "numbered_codes"]

COUNTRY, REGION = "Doggerland", "East Dogger"
"""The country and region of the made-up city: land that the North Sea covered some 8,000 years ago."""

AUTHORITIES = (
    "Aldermouth", "Brackhaven", "Corvenham", "Dunmarrow", "Eskerby", "Farnholt", "Gansmere", "Hallowick", "Inverquay",
    "Kestrelford", "Larkminster", "Marrowdale", "Netherquay", "Oxmarsh", "Pellworth", "Quernby", "Rooksmere",
    "Saltharrow", "Thornquay", "Underholm", "Vexbridge", "Wrenmouth", "Yarrowstead",
)  # fmt: skip


def numbered_codes(prefix: str, count: int, start: int = 900_001) -> np.ndarray:
    """`count` codes such as ``E00900001``, ``E00900002`` …, text of shape (count,), in order.

    Six digits follow the prefix.  Numbers from 900001 are far above those in use.

    Raises
    ------
    ValueError
        The numbers do not fit in six digits.
    """
    if start + count - 1 > 999_999:
        raise ValueError(f"count ({count}) must fit in six digits from {start}")
    return write_digits(prefix, np.arange(start, start + count), 6)


def write_digits(prefix: str, numbers: np.ndarray, width: int) -> np.ndarray:
    """Each number behind the prefix with leading zeros, as text of shape (numbers,)."""
    letters = np.empty((len(numbers), len(prefix) + width), dtype=np.uint32)
    letters[:, : len(prefix)] = [ord(letter) for letter in prefix]
    for place in range(width):
        letters[:, len(prefix) + place] = numbers // 10 ** (width - 1 - place) % 10 + ord("0")
    return join_letters(letters)


def join_letters(letters: np.ndarray) -> np.ndarray:
    """Text of shape (n,) from code points of shape (n, width)."""
    return np.ascontiguousarray(letters, dtype=np.uint32).view(f"<U{letters.shape[1]}").ravel()


def block_names(parent_names: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Names such as ``Aldermouth 007``: the parent's and a number that starts anew in each parent.

    `parents` (whole numbers of shape (areas,)) must not fall, as where codes run parent by parent.
    """
    number = np.arange(len(parents)) - np.searchsorted(parents, parents) + 1
    return np.char.add(parent_names[parents], write_digits(" ", number, 3))


def lettered(parent_names: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Names such as ``Aldermouth 007C``: the parent's and a letter, A to Z and then AA, AB …; parents as in `block_names`."""
    number = np.arange(len(parents)) - np.searchsorted(parents, parents)
    ends = np.array(
        [chr(65 + at) if at < 26 else chr(64 + at // 26) + chr(65 + at % 26) for at in range(number.max() + 1)]
    )
    return np.char.add(parent_names[parents], ends[number])
