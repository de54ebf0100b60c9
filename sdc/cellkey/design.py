"""The ptable designer: maximum-entropy noise with a bound, a variance, blocked counts and a chance to stay.

Row i holds the noises v = j - i of the targets j in max(0, i - D) … i + D without
1 … js, and the probabilities of largest entropy with mean 0 and variance at most V
(`sdc.cellkey.entropy`).  Row 0 keeps its zero.  There are D rows of their own
where js = 0, else D + js + 1; the last is symmetric and serves all larger counts.

Sources: S. Giessing (2016), see `sdc.cellkey`; T. Enderle, R package ptable 1.0.0,
whose unit test the tests here repeat to 1e-6.  Unlike the package, a chance to
stay is never lowered to reach a variance, and what cannot be met is refused.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from common.faults import Infeasible
from sdc.cellkey.entropy import TIGHT, largest_entropy
from sdc.cellkey.ptable import PTable

__all__ = ["Designed", "PTableSpec", "design_ptable", "smallest_variance"]

T = TypeVar("T")

# Variances that differ by less are told as equal.
SAME_VARIANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class PTableSpec:
    """What is asked of a ptable.

    Attributes
    ----------
    bound : D, the largest noise in size.
    blocked : js; no count is shown as 1 … js.  Take min_count - 1 so that no small count is ever shown.
    variance : V, an upper bound for every row; None for the smallest that `blocked` allows.
    stay : pstay, the smallest probability of no noise, for all rows or one by one; of no effect on rows 1 … js.
    monotone : whether probabilities must not fall from the left up to no noise, for all rows or one by one.

    Raises
    ------
    ValueError
        A number is out of range, there are not as many as rows, or no variance follows.
    Infeasible
        No ptable meets the demands; says which clash and what would do.
    """

    bound: int = 10
    blocked: int = 0
    variance: float | None = None
    stay: float | tuple[float, ...] = 0.0
    monotone: bool | tuple[bool, ...] = True

    def __post_init__(self) -> None:
        if self.bound < 1:
            raise ValueError(f"bound ({self.bound}) must be at least 1")
        if self.blocked < 0:
            raise ValueError(f"blocked ({self.blocked}) must be at least 0")
        if self.variance is None and self.blocked == 0:
            raise ValueError("variance must be given where no count is blocked")
        if self.variance is not None and not 0 < self.variance < float("inf"):
            raise ValueError(f"variance ({self.variance}) must be above 0")
        for name, each in (("stay", self.stay), ("monotone", self.monotone)):
            if isinstance(each, tuple) and len(each) != self.rows:
                raise ValueError(f"{name} must be one value or {self.rows}, one for each row from 1 to {self.rows}")
        if not all(0 <= each <= 1 for each in _for_rows(self.stay, self.rows)):
            raise ValueError("stay must be from 0 to 1")
        _check_feasible(self)

    @property
    def rows(self) -> int:
        """The number of rows above 0: D where js = 0, else D + js + 1."""
        return self.bound if self.blocked == 0 else self.bound + self.blocked + 1

    @property
    def largest_variance(self) -> float:
        """The variance that no row may exceed, V."""
        return float(smallest_variance(self.blocked) if self.variance is None else self.variance)


@dataclass(frozen=True, kw_only=True, eq=False)
class Designed:
    """A designed ptable, the variance of each row (float64 of shape (last + 1,)), and what its owner should know."""

    ptable: PTable
    variances: np.ndarray
    notices: tuple[str, ...]


def smallest_variance(blocked: int) -> int:
    """The smallest V that blocking 1 … js allows: a count i <= js has to move to 0 or js + 1, at i(js + 1 - i).

    >>> [smallest_variance(js) for js in range(6)]
    [0, 1, 2, 4, 6, 9]
    """
    return (blocked + 1) ** 2 // 4


def design_ptable(spec: PTableSpec) -> Designed:
    """The ptable of largest entropy; a notice names rows whose variance stays below V."""
    stays, monotone = _for_rows(spec.stay, spec.rows), _for_rows(spec.monotone, spec.rows)
    rows, noises, uppers = [np.zeros(1, np.int64)], [np.zeros(1, np.int64)], [np.ones(1)]
    variances = [0.0]
    for i in range(1, spec.rows + 1):
        values = _noises(spec, i)
        found = largest_entropy(values, variance=spec.largest_variance, stay=stays[i - 1], monotone=monotone[i - 1])
        if found is None:
            raise RuntimeError(f"row {i} of the ptable has no solution, which the demands should have shown")
        upper = np.minimum(np.cumsum(found), 1.0)
        upper[-1] = 1.0
        rows.append(np.full(len(values), i, np.int64))
        noises.append(values)
        uppers.append(upper)
        variances.append(float(values.astype(np.float64) ** 2 @ found))
    ptable = PTable(rows=np.concatenate(rows), noise=np.concatenate(noises), upper=np.concatenate(uppers))
    return Designed(ptable=ptable, variances=np.array(variances), notices=_notices(spec, variances))


def _noises(spec: PTableSpec, i: int) -> np.ndarray:
    """The noises that row i may take: targets from max(0, i - D) to i + D, none of them blocked."""
    targets = np.arange(max(0, i - spec.bound), i + spec.bound + 1)
    return targets[(targets == 0) | (targets > spec.blocked)] - i


def _check_feasible(spec: PTableSpec) -> None:
    """A count that may not stay must reach 0 and js + 1 within D, and the least that costs is i(js + 1 - i)."""
    js, bound, variance = spec.blocked, spec.bound, spec.largest_variance
    if bound < js:
        raise Infeasible(
            f"js = {js} needs D >= {js}: a count of {js} that may not be shown must be able to become 0; D is {bound}",
            demands=(f"js = {js}", f"D = {bound}"),
        )
    least = smallest_variance(js)
    if variance < least - TIGHT:
        row = (js + 1) // 2
        raise Infeasible(
            f"js = {js} needs V >= {least}: a count of {row} must become 0 or at least {js + 1} and keep its mean; "
            f"V is {variance:g}",
            demands=(f"js = {js}", f"V = {variance:g}"),
        )


def _notices(spec: PTableSpec, variances: list[float]) -> tuple[str, ...]:
    short = [
        f"row {i} has variance {each:.4g}, below V = {spec.largest_variance:g}"
        for i, each in enumerate(variances)
        if i and each < spec.largest_variance - SAME_VARIANCE
    ]
    if not short:
        return ()
    why = "the largest entropy under the other demands is reached there"
    return (f"{'; '.join(short)}: {why}; lower V for one variance in all rows",)


def _for_rows(each: T | tuple[T, ...], rows: int) -> tuple[T, ...]:
    return each if isinstance(each, tuple) else (each,) * rows
