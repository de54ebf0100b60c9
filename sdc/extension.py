"""Published values that come from somebody: a table of the finest cells, built area by area.

The theorem on rounded tables (`sdc.attack.theorem`) holds where published values
extend to a non-negative table of the finest cells.  Here such a table is built,
for every smallest area, from the published values alone, and added up again.
Nothing is taken from how the values were made.  As everything adds up over
areas, the sums of these tables are the values above.

**On a line.**  Tables with equal totals are laid side by side on a line from 0 to
the total, each category as long as its value.  Every stretch between two marks
lies in one category of each table: these are the finest cells.  All marks are
multiples of the base, and so are the finest cells.

**Round a table.**  People sit on P chairs in a circle; benefits are dealt out one after
the other, each to as many chairs in a row as it has claims, going on where the
last one stopped.  Nobody is dealt a benefit twice if none has more than P claims,
and everybody is dealt one if there are P claims or more.  So ``max X_b <= P <= S``
is enough, as well as needed, for X_b claims of each benefit, S in all, to be those of P people.
(R. McNaughton, "Scheduling with deadlines and loss functions", Management
Science 6 (1959), 1–12, deals out work to machines in this way.)

**Recodes.**  Tables by recodes of one variable are laid on one line in the variable's
own order.  Every stretch must lie in categories that have a value of the
variable in common.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.tables import SHOWN, SafeTable, sum_up

__all__ = ["Extended", "extend_people", "extend_recodes"]

# Smallest areas that are built at a time.
BLOCK = 16_384


@dataclass(frozen=True, kw_only=True, eq=False)
class Extended:
    """Whether published values extend to a non-negative table of the finest cells.

    Attributes
    ----------
    failing : a sentence for each thing that stands against it.
    areas : smallest areas that no finest table was found for, int64.
    """

    failing: tuple[str, ...]
    areas: np.ndarray

    @property
    def holds(self) -> bool:
        """True where nothing stands against it."""
        return not self.failing


def extend_people(claims: Mapping[str, SafeTable], people: Mapping[str, SafeTable], *, benefit: str | None) -> Extended:
    """Build people with sets of benefits behind published tables of claims and of people.

    Parameters
    ----------
    claims : published tables of claims, by what is of the claim.
    people : published tables of people, by what is of the person.
    benefit : name of the table of claims by benefit; None where no table tells of benefits.
    """
    failing = [*_adds_up({**claims, **people}), *_same_totals(claims), *_same_totals(people)]
    if failing:
        return Extended(failing=tuple(failing), areas=np.empty(0, np.int64))
    heads, every = next(iter(people.values())), next(iter(claims.values()))

    def fails(block: slice) -> np.ndarray:
        wrong = _line_fails([safe.values[0][block] for safe in claims.values()])
        wrong |= _line_fails([safe.values[0][block] for safe in people.values()])
        seats = heads.values[0][block, -1]
        if benefit is None:
            return wrong | (seats > every.values[0][block, -1]) | ((seats == 0) & (every.values[0][block, -1] > 0))
        return wrong | _circle_fails(claims[benefit].values[0][block, :-1], seats)

    return _by_block(heads, fails, "claims and people come from no people with sets of benefits")


def extend_recodes(tables: Mapping[str, SafeTable], recodes: Mapping[str, Sequence[int]]) -> Extended:
    """Build a table of the finest categories behind published tables by recodes of one variable.

    Parameters
    ----------
    tables : published tables by name.
    recodes : for each table, the column that each of the finest categories lies
        in, in the order in which they are laid on the line.
    """
    failing = [*_adds_up(tables), *_same_totals(tables)]
    if failing:
        return Extended(failing=tuple(failing), areas=np.empty(0, np.int64))
    order = {name: list(dict.fromkeys(columns)) for name, columns in recodes.items()}
    met = {
        tuple(order[name].index(recodes[name][atom]) for name in tables)
        for atom in range(len(next(iter(recodes.values()))))
    }

    def fails(block: slice) -> np.ndarray:
        rows = [safe.values[0][block][:, [*order[name], -1]] for name, safe in tables.items()]
        lengths, places = _line(rows)
        sizes = [row.shape[1] for row in rows]
        allowed = np.zeros(sizes, np.bool_)
        allowed[tuple(np.array(sorted(met)).T)] = True
        return ((lengths > 0) & ~allowed[tuple(places)]).any(axis=1) | _line_fails(rows)

    return _by_block(next(iter(tables.values())), fails, "recoded categories come from no common finest categories")


def _by_block(safe: SafeTable, fails: Callable[[slice], np.ndarray], reason: str) -> Extended:
    """Ask block by block, and name the areas that fail."""
    size = safe.hierarchy.units[0]
    blocks = [slice(first, min(first + BLOCK, size)) for first in range(0, size, BLOCK)]
    areas = np.concatenate([np.flatnonzero(fails(block)) + block.start for block in blocks])
    if not len(areas):
        return Extended(failing=(), areas=areas)
    named = ", ".join(safe.hierarchy.codes[0][areas[:5]])
    more = f" and {len(areas) - 5} more" if len(areas) > 5 else ""
    return Extended(failing=(f"{named}{more}: {reason}",), areas=areas)


def _adds_up(tables: Mapping[str, SafeTable]) -> list[str]:
    """What is no non-negative multiple of its base, is not shown, or does not add up."""
    failing = []
    for name, safe in tables.items():
        if any((markers != SHOWN).any() for markers in safe.markers):
            failing.append(f"{name}: some cells show no value")
        elif any((values < 0).any() or (values % safe.method.base).any() for values in safe.values):
            failing.append(f"{name}: some values are negative or no multiples of {safe.method.base}")
        elif len(safe.classification) and any((v[:, :-1].sum(axis=1) != v[:, -1]).any() for v in safe.values):
            failing.append(f"{name}: categories do not add up to their totals")
        else:
            sums = sum_up(safe.hierarchy, safe.values[0])
            if any(not np.array_equal(above, shown) for above, shown in zip(sums, safe.values, strict=True)):
                failing.append(f"{name}: areas do not add up to the areas above")
    return failing


def _same_totals(tables: Mapping[str, SafeTable]) -> list[str]:
    (first, safe), *others = tables.items()
    return [
        f"{first} and {name} show different totals"
        for name, other in others
        if not np.array_equal(safe.values[0][:, -1], other.values[0][:, -1])
    ]


def _line(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Tables on one line: lengths of the stretches, int64 of shape (areas, stretches), and the category of each in each table.

    `rows` are categories and the total, of which the first table's is the line's length.
    A stretch beyond a table's last category has the column of its total.
    """
    marks = [np.cumsum(row[:, :-1], axis=1) for row in rows]
    every = np.sort(np.column_stack([rows[0][:, -1:], *marks]), axis=1)
    starts = np.column_stack([np.zeros(len(every), every.dtype), every[:, :-1]])
    return every - starts, [(mark[:, None, :] <= starts[:, :, None]).sum(axis=2) for mark in marks]


def _line_fails(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Where the stretches do not add up to every table's values again: bool of shape (areas,)."""
    lengths, places = _line(rows)
    wrong = (lengths < 0).any(axis=1) | (lengths.sum(axis=1) != rows[0][:, -1])
    for row, place in zip(rows, places, strict=True):
        for column in range(row.shape[1] - 1):
            wrong |= np.where(place == column, lengths, 0).sum(axis=1) != row[:, column]
    found: np.ndarray = wrong
    return found


def _circle_fails(benefits: np.ndarray, seats: np.ndarray) -> np.ndarray:
    """Where benefits cannot be dealt out to people: bool of shape (areas,).

    `benefits` holds claims by benefit, shape (areas, benefits), and `seats` people.
    """
    ends = np.cumsum(benefits, axis=1)
    length = np.maximum(seats, 1)[:, None]
    begins = (ends - benefits) % length
    marks = np.sort(np.column_stack([np.zeros_like(seats), ends % length, seats]), axis=1)
    starts, lengths = marks[:, :-1], np.diff(marks, axis=1)
    dealt = (starts[:, :, None] - begins[:, None, :]) % length[:, :, None] < benefits[:, None, :]
    found = (lengths[:, :, None] * dealt).sum(axis=1)
    without = ((lengths > 0) & ~dealt.any(axis=2)).any(axis=1)
    wrong: np.ndarray = (found != benefits).any(axis=1) | without | (lengths.sum(axis=1) != seats)
    return wrong
