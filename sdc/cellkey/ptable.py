"""Perturbation tables: which noise a true count takes under which key.

Two forms are in use, and both are held here.

`PTable`, the form of the ptable package and of tau-ARGUS: per true count i a
row of noises v with cumulated probabilities; keys are numbers in [0, 1), and a
key takes the noise of the entry with

    lower < key <= upper

(a key of 0 takes the first entry of its row).  The last row serves every larger count.

`KeyTable`, the form of the Office for National Statistics: the noise for every
pair of `pcv` and cell key 0 … M - 1, where pcv is the true count, and for
counts above the last row the last `reuse` rows come round again:

    pcv = n                                          if n <= last
    pcv = ((n - 1) mod reuse) + last - reuse + 1     otherwise

(ONS: last = 750, reuse = 250, so ((n - 1) mod 250) + 501; reuse = 1 is the rule
of the other form).

Both keep zeros: nobody counted, nothing added.  No noise takes a count below 0.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["ONS_LAST", "ONS_REUSE", "KeyTable", "PTable", "in_keys", "noise_of", "noise_shares", "rows_of"]

ONS_LAST, ONS_REUSE = 750, 250
# Probabilities in files are rounded; a row that misses 1 by more than this is no row of probabilities.
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class PTable:
    """Rows of probabilities.

    Attributes
    ----------
    rows : int64 of shape (entries,), the true count each entry belongs to: 0 … last, ascending.
    noise : int64 of shape (entries,), what is added.  A noise may stand more than once in a row.
    upper : float64 of shape (entries,), cumulated probability within the row, 1 at its end.

    Raises
    ------
    ValueError
        Rows are missing or out of order, a row's probabilities are negative or do
        not add up to 1, a zero is not kept, or a count could fall below 0.
    """

    rows: np.ndarray
    noise: np.ndarray
    upper: np.ndarray

    def __post_init__(self) -> None:
        if not self.rows.shape == self.noise.shape == self.upper.shape or self.rows.ndim != 1:
            raise ValueError("rows, noise and upper must have one value an entry")
        if self.rows.dtype != np.int64 or self.noise.dtype != np.int64 or self.upper.dtype != np.float64:
            raise ValueError("rows and noise must be int64, upper float64")
        steps = np.diff(self.rows, prepend=-1)
        if not len(self.rows) or self.rows[0] != 0 or steps.min() < 0 or steps.max() > 1 or self.last < 1:
            raise ValueError("rows must run from 0 to the last true count, 1 at least, without a gap and in order")
        if np.any(self.probabilities < -SUM_TOLERANCE):
            raise ValueError("upper must not fall within a row")
        ends = np.flatnonzero(np.append(steps[1:], 1))
        if np.any(np.abs(self.upper[ends] - 1) > SUM_TOLERANCE):
            raise ValueError("upper must be 1 at the end of every row")
        _check_noise(self.rows, self.noise)

    @property
    def last(self) -> int:
        """The last row, which serves every larger count too."""
        return int(self.rows[-1])

    @property
    def probabilities(self) -> np.ndarray:
        """Probability of each entry, float64 of shape (entries,)."""
        first = np.diff(self.rows, prepend=-1) > 0
        lower = np.where(first, 0.0, np.concatenate([[0.0], self.upper[:-1]]))
        return self.upper - lower

    @property
    def bound(self) -> int:
        """The largest noise in size, D."""
        return int(np.abs(self.noise[self.probabilities > 0]).max())


@dataclass(frozen=True, kw_only=True, eq=False)
class KeyTable:
    """The noise for every row and cell key.

    Attributes
    ----------
    noise : int16 of shape (last + 1, M), row 0 all 0.
    reuse : how many of the last rows serve larger counts in turn.

    Raises
    ------
    ValueError
        Shapes do not fit, a zero is not kept, or a count could fall below 0.
    """

    noise: np.ndarray
    reuse: int = 1

    def __post_init__(self) -> None:
        if self.noise.dtype != np.int16 or self.noise.ndim != 2 or min(self.noise.shape) < 2:
            raise ValueError("noise must be int16 of shape (last + 1, key range), with 2 rows and 2 keys at least")
        if not 1 <= self.reuse <= self.last:
            raise ValueError(f"reuse ({self.reuse}) must be from 1 to the last row ({self.last})")
        _check_noise(np.arange(self.last + 1)[:, None], self.noise)

    @property
    def last(self) -> int:
        """The last row."""
        return self.noise.shape[0] - 1

    @property
    def key_range(self) -> int:
        """M: cell keys run from 0 to M - 1."""
        return int(self.noise.shape[1])

    @property
    def bound(self) -> int:
        """The largest noise in size, D."""
        return int(np.abs(self.noise.astype(np.int64)).max())


def _check_noise(rows: np.ndarray, noise: np.ndarray) -> None:
    if np.any((rows == 0) & (noise != 0)):
        raise ValueError("zeros must be kept: the row of 0 must hold no other noise than 0")
    if np.any(rows + noise.astype(np.int64) < 0):
        raise ValueError("no noise may take a count below 0")


def in_keys(ptable: PTable, key_range: int) -> KeyTable:
    """The same table for cell keys 0 … M - 1: key k stands for (k + 1/2) / M.

    The middle of each key's share of [0, 1) is looked up, so that probabilities
    are rounded to multiples of 1 / M, symmetric rows stay symmetric, and the mean
    of a row moves by no more than D / M.

    Raises
    ------
    ValueError
        `key_range` is below 2.
    """
    if key_range < 2:
        raise ValueError(f"key_range ({key_range}) must be at least 2")
    keys = (np.arange(key_range) + 0.5) / key_range
    noise = np.stack([ptable.noise[_entries(ptable, row, keys)] for row in range(ptable.last + 1)])
    return KeyTable(noise=noise.astype(np.int16))


def noise_of(ptable: PTable | KeyTable, counts: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The noise of each true count under its key, int64 of the shape of `counts`.

    Parameters
    ----------
    counts : int64, at least 0.
    keys : of the same shape; whole numbers 0 … M - 1 for a `KeyTable`, numbers in [0, 1) for a `PTable`.

    Raises
    ------
    ValueError
        Shapes differ, or a key is out of range.
    """
    if counts.shape != keys.shape:
        raise ValueError("every count must have its key")
    rows = rows_of(ptable, counts)
    if isinstance(ptable, KeyTable):
        if keys.size and not 0 <= keys.min() <= keys.max() < ptable.key_range:
            raise ValueError(f"keys must be from 0 to {ptable.key_range - 1}, as the ptable's are")
        noise: np.ndarray = ptable.noise[rows, keys].astype(np.int64)
        return noise
    if keys.size and not 0 <= keys.min() <= keys.max() < 1:
        raise ValueError("keys must be at least 0 and below 1")
    drawn = np.zeros(counts.shape, np.int64)
    for row in range(1, ptable.last + 1):
        here = rows == row
        drawn[here] = ptable.noise[_entries(ptable, row, keys[here])]
    return drawn


def rows_of(ptable: PTable | KeyTable, counts: np.ndarray) -> np.ndarray:
    """The row that serves each true count (`pcv`), int64."""
    last = ptable.last
    if isinstance(ptable, PTable) or ptable.reuse == 1:
        return np.minimum(counts, last)
    return np.where(counts <= last, counts, (counts - 1) % ptable.reuse + last - ptable.reuse + 1)


def noise_shares(ptable: PTable | KeyTable) -> tuple[np.ndarray, int]:
    """Probability of each noise by row, float64 of shape (last + 1, noises), and the noise of the first column.

    Columns run over every whole noise from the smallest to the largest that has any probability.
    """
    if isinstance(ptable, KeyTable):
        rows, noise = np.repeat(np.arange(ptable.last + 1), ptable.key_range), ptable.noise.ravel().astype(np.int64)
        weight = np.full(noise.shape, 1 / ptable.key_range)
    else:
        drawn = ptable.probabilities > 0
        rows, noise, weight = ptable.rows[drawn], ptable.noise[drawn], ptable.probabilities[drawn]
    first, width = int(noise.min()), int(noise.max() - noise.min()) + 1
    flat = np.bincount(rows * width + noise - first, weights=weight, minlength=(ptable.last + 1) * width)
    return flat.reshape(-1, width), first


def _entries(ptable: PTable, row: int, keys: np.ndarray) -> np.ndarray:
    """Index of the entry of a row that each key falls on: lower < key <= upper."""
    start, end = np.searchsorted(ptable.rows, [row, row + 1])
    # The last upper bound may miss 1 by the rounding of a file.
    found = np.minimum(np.searchsorted(ptable.upper[start:end], keys, side="left"), end - start - 1)
    return start + found
