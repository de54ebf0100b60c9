"""Classes of a choropleth that do not claim more than rounded figures can bear.

Natural breaks (Fisher 1958; Jenks 1977) are laid on multiples of the base and
kept at least twice the base apart, so that no two classes differ by less than
two rounded figures may differ by chance, and zero, which stands for nil as
well as for small counts, has no class of its own while anything else is shown.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["MOST_CLASSES", "MapClasses", "map_classes", "natural_breaks"]

MOST_CLASSES = 5
MOST_VALUES = 1_000


@dataclass(frozen=True, kw_only=True)
class MapClasses:
    """Classes of published values, lowest first.

    Attributes
    ----------
    least : the smallest value on the map, where the lowest class starts.
    limits : the largest value of each class, included; the last is the largest value on the map.
    base : the step between values, the rounding base (1 for exact figures).
    """

    least: int
    limits: tuple[int, ...]
    base: int

    def __post_init__(self) -> None:
        steps = np.diff((self.least, *self.limits))
        if not self.limits or (len(self.limits) > 1 and steps.min() < 2 * self.base):
            raise ValueError(f"limits ({self.limits}) must be at least {2 * self.base} apart, from {self.least} on")

    def __len__(self) -> int:
        return len(self.limits)

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """Smallest and largest value that each class may hold, both included."""
        starts = (self.least, *(limit + self.base for limit in self.limits[:-1]))
        return tuple(zip(starts, self.limits, strict=True))

    def index(self, values: np.ndarray) -> np.ndarray:
        """The class of each value: int64 of the same shape, 0 for the lowest."""
        return np.searchsorted(np.asarray(self.limits), values, side="left")


def map_classes(values: np.ndarray, *, base: int, most: int = MOST_CLASSES) -> MapClasses:
    """At most `most` classes of published values.

    Parameters
    ----------
    values : int64 of shape (n,), n >= 1: the values shown on the map, markers left out.
    base : rounding base; 1 for exact figures.

    Every limit but the last is a multiple of `base`, limits are at least
    2 × `base` apart, and the lowest is at least 2 × `base` above the smallest
    value.  Of the numbers of classes from `most` down, the one that leaves
    most classes after that is taken.  Values that lie closer together make a
    single class.

    Raises
    ------
    ValueError
        There is no value.
    """
    if not len(values):
        raise ValueError("values must hold at least one value")
    different, weights = np.unique(values, return_counts=True)
    best: tuple[int, ...] = (int(different[-1]),)
    for breaks in natural_breaks(*_thinned(different, weights), min(most, len(different))):
        best = max(best, _apart(breaks, different, base), key=len)
    return MapClasses(least=int(different[0]), limits=best, base=base)


def _thinned(different: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values and weights, or where there are very many, both merged into evenly many neighbours.

    Rounded figures have few different values; exact ones may have many, and
    breaks cost the square of their number.
    """
    if len(different) <= MOST_VALUES:
        return different, weights
    ends = np.linspace(0, len(different), MOST_VALUES + 1).round().astype(np.int64)
    return different[ends[1:] - 1], np.add.reduceat(weights, ends[:-1])


def natural_breaks(different: np.ndarray, weights: np.ndarray, most: int) -> tuple[np.ndarray, ...]:
    """Exact natural breaks into `most` classes, `most` - 1, … 2.

    Parameters
    ----------
    different : values of shape (m,), rising, no two alike.
    weights : how often each occurs, shape (m,).
    most : the largest number of classes, at most m.

    Returns
    -------
    For each number of classes, most first, the largest value of each class:
    the partition into runs that has the least sum, over classes, of weighted
    squared distances from the class mean.  Dynamic programming in O(most × m²).

    Written here because mapclassify, the usual choice, compiles for ten
    seconds when it is imported and takes no weights; the tests hold it to that.

    References
    ----------
    W. D. Fisher, "On grouping for maximum homogeneity", JASA 53 (1958), pages 789–798.
    """
    count = len(different)
    centred = different - different.mean()
    mass = np.concatenate([[0.0], np.cumsum(weights)])
    first = np.concatenate([[0.0], np.cumsum(weights * centred)])
    second = np.concatenate([[0.0], np.cumsum(weights * centred**2)])
    start, end = np.arange(count)[:, None], np.arange(1, count + 1)[None, :]
    # within[i, j]: squared distances inside the run of values i … j.
    inside = np.where(end > start, mass[end] - mass[start], 1.0)
    within = second[end] - second[start] - (first[end] - first[start]) ** 2 / inside
    within = np.where(end > start, within, np.inf)
    cost, starts = within[0], []
    for _ in range(most - 1):
        # A class more: the last one starts at value i, what lies before costs cost[i - 1].
        longer = np.concatenate([[np.inf], cost[:-1]])[:, None] + within
        starts.append(longer.argmin(axis=0))
        cost = longer.min(axis=0)
    return tuple(different[_walk_back(starts[:number], count)] for number in range(most - 1, 0, -1))


def _walk_back(starts: list[np.ndarray], count: int) -> np.ndarray:
    """Where each class ends, the last one first found, from where the last class starts at each stage."""
    ends = [count - 1]
    for start in reversed(starts):
        ends.append(int(start[ends[-1]]) - 1)
    return np.array(ends[::-1], dtype=np.int64)


def _apart(breaks: np.ndarray, different: np.ndarray, base: int) -> tuple[int, ...]:
    """Breaks as multiples of the base, raised where they stand too close, left out where a class would be empty."""
    least, largest = int(different[0]), int(different[-1])
    limits: list[int] = []
    for limit in (np.round(breaks / base).astype(np.int64) * base).tolist():
        before = limits[-1] if limits else least
        raised = max(limit, before + 2 * base)
        filled = np.any((different > before) & (different <= raised)) or not limits
        if filled and largest - raised >= 2 * base:
            limits.append(raised)
    return (*limits, largest)
