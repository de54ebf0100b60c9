"""The distribution of largest entropy on a few whole numbers under bounds on its moments and order.

One row of a ptable is

    maximise  -Σ p_k log p_k
    subject to  Σ p_k = 1,  Σ v_k p_k = 0,  Σ v_k² p_k <= variance,
                p at v = 0 at least `stay`,
                p_1 <= p_2 <= … <= p at v = 0   (`monotone`; only where 0 is among the v).

The problem is convex.  Written as A p = b, G p <= h it is solved by following, for
growing t, the least of

    t Σ p_k log p_k  -  Σ log p_k  -  Σ log (h - G p)   with A p = b.

That function is self-concordant, so that Newton steps of length 1 / (1 + δ), δ the
Newton decrement, never leave its domain and always arrive, whatever the demands
(Y. Nesterov & A. Nemirovskii, *Interior-Point Polynomial Algorithms in Convex
Programming*, 1994, chapter 2; S. Boyd & L. Vandenberghe, *Convex Optimization*,
2004, section 11.5).  At the end the entropy is short of its largest by at most
(terms with a logarithm) / t.

The path starts at a distribution that has all p > 0 and meets every inequality
with room.  Rows that have none, because they are left no choice, are solved by hand.
"""

import numpy as np

__all__ = ["TIGHT", "largest_entropy"]

FIRST, LAST, GROWTH = 1.0, 1e13, 8.0
MOST_STEPS, SETTLED = 200, 1e-4
# A variance this close to the smallest possible is taken as the smallest possible: what is left out is below 1e-7.
TIGHT = 1e-7


def largest_entropy(values: np.ndarray, *, variance: float, stay: float, monotone: bool) -> np.ndarray | None:
    """Probabilities of `values`, float64 of their shape, or None where no distribution meets the demands.

    Parameters
    ----------
    values : whole numbers in ascending order.
    variance : upper bound of Σ v² p, at least 0.
    stay, monotone : bear on rows that have the value 0 only.

    Raises
    ------
    RuntimeError
        The method did not arrive, which is a failure of ours.
    """
    below, above, zero = values < 0, values > 0, values == 0
    if not below.any() or not above.any():
        return zero.astype(np.float64) if zero.any() else None
    low, high = (0, 0) if zero.any() else (int(values[below][-1]), int(values[above][0]))
    if variance < -low * high - TIGHT:
        return None
    if zero.any():
        centre = zero.astype(np.float64)
    else:
        centre = np.where(values == low, high, np.where(values == high, -low, 0)) / (high - low)
    if variance <= -low * high + TIGHT or len(values) == 2 or (zero.any() and stay >= 1 - TIGHT):
        return centre
    # Given a sum of 1 and a mean of 0, Σ (v - low)(v - high) p is what the variance has above its least, -low·high.
    # It is 0 at the values next to 0, so that a variance next to its least is as well-behaved as any other.
    above_least = ((values - low) * (values - high)).astype(np.float64)
    rows, bounds = [above_least / above_least.max()], [(variance + low * high) / above_least.max()]
    if zero.any():
        more, least = _at_zero(values, stay, monotone)
        rows, bounds = rows + more, bounds + least
    inner = _inner_point(values, centre, np.array(rows), np.array(bounds))
    return _follow(values, np.array(rows), np.array(bounds), inner)


def _at_zero(values: np.ndarray, stay: float, monotone: bool) -> tuple[list[np.ndarray], list[float]]:
    """Rows of G and h for the chance to stay and for the order up to 0."""
    unit, at = np.eye(len(values)), int(np.searchsorted(values, 0))
    rows: list[np.ndarray] = []
    bounds: list[float] = []
    if stay > 0:
        rows.append(-unit[at])
        bounds.append(-stay)
    if monotone:
        rows += [unit[k] - unit[k + 1] for k in range(at)]
        bounds += [0.0] * at
    return rows, bounds


def _inner_point(values: np.ndarray, centre: np.ndarray, rows: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """A distribution with mean 0, all p > 0 and room in every inequality: `centre` mixed with one that rises to 0."""
    weight = np.where(values < 0, np.arange(1.0, len(values) + 1), 1.0)
    down, up = -float(values[values < 0] @ weight[values < 0]), float(values[values > 0].sum())
    weight = np.where(values < 0, weight * up, down)
    weight[values == 0] = 2 * weight.max()
    spread = weight / weight.sum()
    share = 0.5
    while np.any(rows @ (centre + share * (spread - centre)) >= bounds):
        share /= 2
    # Half of that again: the last share may leave a room of next to nothing, from which no step can be worked out.
    return centre + share / 2 * (spread - centre)


def _follow(values: np.ndarray, rows: np.ndarray, bounds: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Follow the path from an inner point to its end.

    The room of each inequality is carried along and changed in proportion, like
    p: worked out afresh, a room of 1e-13 would be mostly rounding.
    """
    equations = np.stack([np.ones(len(values)), values / np.abs(values).max()])
    room = bounds - rows @ p
    t = FIRST
    while t < LAST:
        t *= GROWTH
        for _ in range(MOST_STEPS):
            step, shrink, decrement = _newton_step(p, room, t, equations, rows)
            length = 1 / (1 + decrement) if decrement > 0.25 else 1.0
            p, room = p * (1 + length * step), room * (1 - length * shrink)
            if decrement < SETTLED:
                break
        else:
            raise RuntimeError("a row of the ptable did not settle")
    return p / p.sum()


def _newton_step(
    p: np.ndarray, room: np.ndarray, t: float, equations: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Newton's step relative to p, by how much of itself each room shrinks, and the decrement.

    Steps are relative, dp = p u, so that probabilities of 1e-9 need no other
    precision than those of 0.5.
    """
    scaled, held = rows * p / room[:, None], equations * p
    slope = p * t * (np.log(p) + 1) - 1 + scaled.sum(axis=0)
    curve = np.diag(t * p + 1) + scaled.T @ scaled
    system = np.block([[curve, held.T], [held, np.zeros((2, 2))]])
    # What the equations miss by rounding is mended on the way.
    missed = np.array([1.0, 0.0]) - equations @ p
    step = np.linalg.solve(system, np.concatenate([-slope, missed]))[: len(p)]
    return step, scaled @ step, float(np.sqrt(max(step @ curve @ step, 0.0)))
