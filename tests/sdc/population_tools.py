"""Small populations of people with sets of benefits, counted as claims and as people."""

import itertools
from dataclasses import dataclass

import numpy as np
from attack_tools import tree
from hypothesis import strategies as st
from rounding_tools import every_rounding

from sdc.tables import Classification, Hierarchy, SafeTable, Table

NAMES = ("A", "B", "C", "D", "E", "F")


@dataclass(frozen=True)
class Population:
    """Tables of claims by benefit, and of people by age, by sex and in all."""

    claims: dict[str, Table]
    people: dict[str, Table]


def by(hierarchy: Hierarchy, dimension: str, finest) -> Table:
    """A table by one dimension, or of totals alone."""
    finest = np.asarray(finest, dtype=np.int64)
    categories = tuple((f"{dimension}{name}",) for name in NAMES[: finest.shape[1]]) if dimension else ()
    classification = Classification(dimensions=(dimension,) if dimension else (), categories=categories)
    return Table.from_finest(hierarchy=hierarchy, classification=classification, finest=finest)


def counted(hierarchy: Hierarchy, areas, sets, ages, sexes, benefits: int) -> Population:
    """Count people: per person their area, the benefits they have (bool), age band and sex."""
    areas, sets = np.asarray(areas, np.int64), np.asarray(sets, np.bool_).reshape(-1, benefits)
    size = hierarchy.units[0]

    def table(dimension: str, index, width: int) -> Table:
        finest = np.bincount(areas * width + np.asarray(index, np.int64), minlength=size * width)
        return by(hierarchy, dimension, finest.reshape(size, width))

    claims = np.column_stack([np.bincount(areas[sets[:, b]], minlength=size) for b in range(benefits)])
    people = {"age": table("age", ages, 3), "sex": table("sex", sexes, 2)}
    people["people"] = by(hierarchy, "", people["sex"].counts[0][:, -1:])
    return Population(claims={"benefit": by(hierarchy, "benefit", claims)}, people=people)


@st.composite
def populations(draw, most_areas: int = 4, most_people: int = 40, benefits: int = 3) -> Population:
    """Some people in a few areas of a town, or of two."""
    areas = draw(st.integers(1, most_areas))
    middle = draw(st.integers(1, min(2, areas)))
    parents = [sorted([*range(middle), *(draw(st.integers(0, middle - 1)) for _ in range(areas - middle))])]
    if draw(st.booleans()):
        parents.append([0] * middle)
    number = draw(st.integers(0, most_people))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sets = rng.random((number, benefits)) < draw(st.sampled_from([0.1, 0.3, 0.6]))
    sets[np.arange(number), rng.integers(0, benefits, number)] = True
    return counted(
        tree(*parents),
        rng.integers(0, areas, number),
        sets,
        rng.integers(0, 3, number),
        rng.integers(0, 2, number),
        benefits,
    )


def town(seed: int, *, areas: int, mean: float, second: float) -> Population:
    """A made-up town of three levels: `mean` people an area, of whom each has each further benefit with chance `second`."""
    rng = np.random.default_rng(seed)
    streets = max(areas // 5, 1)
    number = rng.poisson(mean * rng.gamma(4, 1 / 4, areas))
    home = np.repeat(np.arange(areas), number)
    sets = rng.random((len(home), 4)) < second
    sets[np.arange(len(home)), rng.integers(0, 4, len(home))] = True
    parents = np.sort(np.concatenate([np.arange(streets), rng.integers(0, streets, areas - streets)])).tolist()
    return counted(
        tree(parents, [0] * streets), home, sets, rng.integers(0, 3, len(home)), rng.integers(0, 2, len(home)), 4
    )


@dataclass(frozen=True)
class Persons:
    """Persons one by one: their area, the benefits they have (bool), age band (0 to 5) and sex."""

    hierarchy: Hierarchy
    areas: np.ndarray
    sets: np.ndarray
    ages: np.ndarray
    sexes: np.ndarray

    def counted(self) -> Population:
        """Their tables of claims and of people; three bands of age."""
        return counted(self.hierarchy, self.areas, self.sets, self.ages // 2, self.sexes, self.sets.shape[1])

    def by_age(self) -> np.ndarray:
        """Persons of each smallest area by six bands of age."""
        size = self.hierarchy.units[0]
        return np.bincount(self.areas * 6 + self.ages, minlength=size * 6).reshape(size, 6)

    def later(self, rng: np.random.Generator, touched: int) -> "Persons":
        """The next quarter: in so many areas somebody comes, goes, or takes up or ends a benefit."""
        areas, sets, ages, sexes = self.areas.copy(), self.sets.copy(), self.ages, self.sexes
        gone = np.zeros(len(areas), np.bool_)
        new = []
        for area in rng.choice(self.hierarchy.units[0], touched, replace=False):
            here, what = np.flatnonzero((areas == area) & ~gone), rng.integers(4)
            if what == 0 or not len(here):
                new.append(area)
            elif what == 1:
                gone[rng.choice(here)] = True
            else:
                sets[rng.choice(here), rng.integers(sets.shape[1])] = what == 2
        gone |= ~sets.any(axis=1)
        more = np.zeros((len(new), sets.shape[1]), np.bool_)
        more[np.arange(len(new)), rng.integers(0, sets.shape[1], len(new))] = True
        return Persons(
            hierarchy=self.hierarchy,
            areas=np.append(areas[~gone], np.array(new, np.int64)),
            sets=np.vstack([sets[~gone], more]),
            ages=np.append(ages[~gone], rng.integers(0, 6, len(new))),
            sexes=np.append(sexes[~gone], rng.integers(0, 2, len(new))),
        )


def persons(seed: int, *, areas: int, mean: float, second: float, benefits: int = 4) -> Persons:
    """A made-up town of three levels or four: `mean` people an area, each further benefit with chance `second`."""
    rng = np.random.default_rng(seed)
    home = np.repeat(np.arange(areas), rng.poisson(mean, areas))
    sets = rng.random((len(home), benefits)) < second
    sets[np.arange(len(home)), rng.integers(0, benefits, len(home))] = True
    sizes, parents = [areas], []
    for group in (5, 4, 6):
        above = max(1, sizes[-1] // group)
        parents.append(np.minimum(np.arange(sizes[-1]) // group, above - 1).tolist())
        sizes.append(above)
    return Persons(tree(*parents), home, sets, rng.integers(0, 6, len(home)), rng.integers(0, 2, len(home)))


def keeps_the_tie(benefits, people) -> bool:
    """Each benefit <= people <= claims, in rows of benefits and of people."""
    benefits, people = np.asarray(benefits), np.asarray(people)
    return bool(np.all(benefits.max(axis=-1) <= people) and np.all(people <= benefits.sum(axis=-1)))


def any_joint_rounding(claims: Table, people: Table, base: int) -> bool:
    """Whether claims and people have roundings within the base that keep the tie: by trial."""
    heads = [values[0][:, -1] for values in every_rounding(people, base)]
    benefits = [values[0][:, :-1] for values in every_rounding(claims, base)]
    return any(keeps_the_tie(x, p) for x, p in itertools.product(benefits, heads))


def come_from_people(benefits, people: int) -> bool:
    """Whether so many claims by benefit are those of so many people with sets of benefits: by trial."""
    sets = [s for s in itertools.product((0, 1), repeat=len(benefits)) if any(s)]

    def dealt(left: tuple[int, ...], seats: int, first: int) -> bool:
        if seats == 0:
            return not any(left)
        return any(
            all(a >= b for a, b in zip(left, sets[i], strict=True))
            and dealt(tuple(a - b for a, b in zip(left, sets[i], strict=True)), seats - 1, i)
            for i in range(first, len(sets))
        )

    return dealt(tuple(int(b) for b in benefits), int(people), 0)


def as_published(table: Table, method) -> SafeTable:
    """A table's counts as if they were published."""
    return SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method)
