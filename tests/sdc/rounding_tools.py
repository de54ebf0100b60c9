"""Small tables for the tests of rounding, and the slow judges that they are held against."""

import itertools

import numpy as np
from attack_tools import tree, true_table
from hypothesis import strategies as st

from sdc.tables import Table, sum_up

EXPSD = [[6, 0, 1, 3, 4], [1, 2, 3, 1, 2], [0, 1, 1, 0, 2]]  # V12, of SmallCountRounding's documentation
HANDBOOK = [[1, 0], [3, 3], [12, 20]]  # V13, Handbook on Statistical Disclosure Control, 5.5


def secret(number: int) -> bytes:
    """A key that is no secret."""
    return b"a key that is no secret %016d" % number


def error(table: Table, values) -> np.ndarray:
    """Published less true, all cells flat."""
    return np.concatenate([(v - x).ravel() for v, x in zip(values, table.counts, strict=True)])


def every_rounding(table: Table, base: int):
    """Every additive rounding within the base, by trial: values per level."""
    finest = table.counts[0][:, : max(len(table.classification), 1)]
    choices = [(x // base * base, x // base * base + base) if x % base else (x,) for x in finest.ravel().tolist()]
    found = []
    for chosen in itertools.product(*choices):
        rounded = np.array(chosen).reshape(finest.shape)
        if len(table.classification):
            rounded = np.column_stack([rounded, rounded.sum(axis=1)])
        values = sum_up(table.hierarchy, rounded)
        if all(np.all(np.abs(v - x) < base) for v, x in zip(values, table.counts, strict=True)) and all(
            np.array_equal(v[x % base == 0], x[x % base == 0]) for v, x in zip(values, table.counts, strict=True)
        ):
            found.append(values)
    return found


@st.composite
def small_tables(draw, most_areas: int = 4, most_categories: int = 3, most: int = 9):
    """A table of a few cells over a tree of two or three levels."""
    areas = draw(st.integers(1, most_areas))
    middle = draw(st.integers(1, areas))
    parents = [sorted([*range(middle), *(draw(st.integers(0, middle - 1)) for _ in range(areas - middle))])]
    if draw(st.booleans()):
        parents.append([0] * middle)
    width = draw(st.integers(1, most_categories))
    cells = st.lists(st.integers(0, most), min_size=width, max_size=width)
    finest = draw(st.lists(cells, min_size=areas, max_size=areas))
    return true_table(tree(*parents), finest)
