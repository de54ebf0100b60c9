"""Small releases of every kind, drawn at random, for `attacker_judge`.

A case holds published tables and, for each, its figures as sums of the finest cells of one common world.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from attack_tools import additive, at_random, nearest, tree
from rounding_tools import secret
from test_joint_attack import flat_tree, table_of

from sdc.attack.intervals import Intervals, stated_intervals
from sdc.attack.joint import AREAS, Flow, Within
from sdc.attack.jointly import audit_pieces
from sdc.attack.noisebounds import stated_noise
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece, piece_of_table
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.cube import Cube, all_margins
from sdc.differencing.revisions import Revision
from sdc.findings import Audit
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.tables import SUPPRESSED, Hierarchy, Method, SafeTable, Table

MIN_COUNT = 3

Told = tuple[SafeTable, Intervals | None]
Publish = Callable[[Table, np.random.Generator], Told]
Make = Callable[[np.ndarray], Sequence[Table]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A release under attack.

    Attributes
    ----------
    targets : the published tables.
    sums : per table, each place of its piece as a sum of finest cells of the world: int64 of shape (places, finest).
    world : the true one; `truth` says whether the attack is told of it.
    untold : figures that no table tells, by the name the joint system has for them, as sums of finest cells.
    loose : the attack may say less than enumeration, and says so.
    """

    kind: str
    targets: Sequence[Target]
    sums: Sequence[np.ndarray]
    world: np.ndarray
    truth: bool = False
    width: int = MIN_COUNT - 1
    overlaps: Mapping[str, Overlap] = field(default_factory=dict)
    within: Sequence[Within] = ()
    flows: Sequence[Flow] = ()
    revisions: Sequence[Revision] = ()
    untold: Mapping[str, np.ndarray] = field(default_factory=dict)
    loose: bool = False

    @property
    def pieces(self) -> list[Piece]:
        """The published tables as the joint attack takes them."""
        return [target.piece for target in self.targets]

    def together(self, *, verdict: bool = False) -> Audit:
        """The whole attack, by whichever way it chooses, or only whether it finds anything."""
        return audit_together(
            self.targets,
            min_count=MIN_COUNT,
            width=self.width,
            overlaps=self.overlaps,
            within=self.within,
            flows=self.flows,
            revisions=self.revisions,
            verdict=verdict,
        )

    def jointly(self) -> Audit:
        """All tables as one system, whatever they are."""
        return audit_pieces(
            self.pieces,
            min_count=MIN_COUNT,
            width=self.width,
            overlaps=self.overlaps,
            within=self.within,
            flows=self.flows,
        )


# How a table is published.


def suppressed(table: Table, rng: np.random.Generator) -> Told:
    """Small counts hidden, and some others; the grand total is shown."""
    more = rng.random() * 0.5
    markers = [((x > 0) & (x < MIN_COUNT)) | (rng.random(x.shape) < more) for x in table.counts]
    markers[-1][:, -1] = False
    markers = [np.where(each, SUPPRESSED, 0).astype(np.int8) for each in markers]
    values = tuple(np.where(m == SUPPRESSED, 0, x) for x, m in zip(table.counts, markers, strict=True))
    method = Method(name="suppression", base=1, min_count=MIN_COUNT)
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=values,
        markers=tuple(markers),
        method=method,
    ), None


def controlled(table: Table, rng: np.random.Generator) -> Told:
    steps = int(table.counts[0].size <= 3 and rng.random() < 0.5)
    method = Method(name="controlled-rounding", base=3, min_count=MIN_COUNT, steps=steps)
    safe = additive(table, int(rng.integers(1 << 30)), method)
    assert safe is not None
    return safe, None


def controlled_beside_a_total(table: Table, rng: np.random.Generator) -> Told:
    """Somebody else publishes the grand total as it is."""
    safe, _ = controlled(table, rng)
    own = stated_intervals(safe)
    own.lo[-1][0, -1] = own.hi[-1][0, -1] = table.counts[-1][0, -1]
    return safe, own


def conventional(table: Table, rng: np.random.Generator) -> Told:
    base = int(rng.choice([2, 3, 4, 5]))
    return nearest(table, Method(name="conventional-rounding", base=base, min_count=MIN_COUNT)), None


def randomly(table: Table, rng: np.random.Generator) -> Told:
    method = Method(name="random-rounding", base=int(rng.choice([2, 3])), min_count=MIN_COUNT)
    return at_random(table, int(rng.integers(1 << 30)), method), None


def small_counts(table: Table, rng: np.random.Generator) -> Told:
    spec = SmallCountRounding(base=3, min_count=MIN_COUNT)
    return protect_small_counts(table, spec=spec, key=secret(int(rng.integers(1000))))[0], None


def noisy(table: Table, rng: np.random.Generator) -> Told:
    """Noise of at most D, which is told; zeros stay, and nothing goes below 0."""
    bound = int(rng.integers(1, 4))
    values = tuple(
        np.where(x > 0, np.maximum(x + rng.integers(-bound, bound + 1, x.shape), 0), 0) for x in table.counts
    )
    method = Method(name="cell-key", base=1, min_count=MIN_COUNT)
    safe = SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=values, method=method)
    return safe, stated_noise(safe, bound=bound)


def as_counted(table: Table, rng: np.random.Generator) -> Told:
    method = Method(name="exact", base=1, min_count=MIN_COUNT)
    return SafeTable(
        hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method
    ), None


PUBLISH: dict[str, Publish] = {
    "suppressed": suppressed,
    "controlled": controlled,
    "controlled, a total known": controlled_beside_a_total,
    "conventional": conventional,
    "random": randomly,
    "small counts": small_counts,
    "noise": noisy,
}


def any_way(rng: np.random.Generator, *, but: Sequence[str] = ()) -> Publish:
    """One of the ways to publish, small-count rounding left out: of its sums nothing follows from the value."""
    return PUBLISH[str(rng.choice([name for name in PUBLISH if name not in ("small counts", *but)]))]


# Cases.


def made(
    kind: str,
    names: Sequence[str],
    make: Make,
    world: np.ndarray,
    publish: Sequence[Publish],
    rng: np.random.Generator,
    *,
    measures: Sequence[str] = (),
    told: bool | None = None,
    **more: object,
) -> Case:
    """A case of several tables of one world; each counted in every world by `make`, which adds up."""
    units = [make(unit) for unit in np.eye(len(world), dtype=np.int64)]
    truth = bool(rng.random() < 0.3) if told is None else told
    targets, sums = [], []
    for at, (name, table) in enumerate(zip(names, make(world), strict=True)):
        safe, known = publish[at](table, rng)
        measure = measures[at] if measures else ""
        own = table if truth else None
        piece = piece_of_table(name, safe, measure=measure, known=known, truth=own)
        targets.append(Target(piece=piece, table=safe, known=known, truth=own))
        sums.append(places_of(piece, [unit[at] for unit in units]))
    return Case(kind=kind, targets=targets, sums=sums, world=world, truth=truth, **more)  # type: ignore[arg-type]


def places_of(piece: Piece, tables: Sequence[Table]) -> np.ndarray:
    """Every place of a piece, told or not, in each of several tables of its shape: int64 of shape (places, tables)."""
    margins = all_margins(piece.axes)
    columns = []
    for table in tables:
        finest = piece_of_table("", as_counted(table, np.random.default_rng(0))[0], truth=table).truth
        assert finest is not None
        columns.append(Cube(axes=piece.axes, finest=finest, margins=margins).values().ravel())
    return np.stack(columns, axis=1)


def drawn_counts(rng: np.random.Generator, number: int) -> np.ndarray:
    return np.asarray(rng.choice([0, 0, 1, 1, 2, 2, 3, 4, 5], number), np.int64)


def drawn_tree(rng: np.random.Generator) -> Hierarchy:
    """One to four areas; now and then a level between them and the top."""
    shape = int(rng.integers(5))
    return [tree(), tree([0, 0]), tree([0, 0, 0]), tree([0, 0, 1], [0, 0]), tree([0, 1, 0, 1], [0, 0])][shape]


def one_table(way: str) -> Callable[[np.random.Generator], Case]:
    """A single table that is a network."""

    def draw(rng: np.random.Generator) -> Case:
        hierarchy = drawn_tree(rng)
        columns = int(rng.integers(1, 4)) if hierarchy.units[0] <= 2 else int(rng.integers(1, 3))
        dimensions = {"benefit": [f"b{at}" for at in range(columns)]} if columns > 1 else {}

        def make(counts: np.ndarray) -> list[Table]:
            return [table_of(hierarchy, dimensions, counts.reshape(-1, columns))]

        world = drawn_counts(rng, hierarchy.units[0] * columns)
        width = int(rng.integers(0, 5))
        return made(way, ["table"], make, world, [PUBLISH[way]], rng, width=width)

    return draw


CODES = {"age": ["old", "young"], "benefit": ["jsa", "uc"], "sex": ["f", "m"]}


def linked(dimensions: Sequence[Sequence[str]], *, loose: bool = False) -> Callable[[np.random.Generator], Case]:
    """Tables of the same people by some of three dimensions each, over one tree."""

    def draw(rng: np.random.Generator) -> Case:
        used = sorted({name for each in dimensions for name in each})
        hierarchy = tree([0, 0]) if len(used) < 3 and rng.random() < 0.6 else tree()
        areas = hierarchy.units[0]

        def make(counts: np.ndarray) -> list[Table]:
            whole = counts.reshape(areas, *[2] * len(used))
            tables = []
            for own in dimensions:
                away = tuple(1 + at for at, name in enumerate(used) if name not in own)
                tables.append(table_of(hierarchy, {name: CODES[name] for name in sorted(own)}, whole.sum(axis=away)))
            return tables

        world = drawn_counts(rng, areas * 2 ** len(used))
        alike = any_way(rng) if rng.random() < 0.7 else None
        publish = [alike or any_way(rng) for _ in dimensions]
        names = ["-".join(own) or "totals" for own in dimensions]
        return made("linked", names, make, world, publish, rng, loose=loose)

    return draw


def two_geographies(rng: np.random.Generator) -> Case:
    """Two divisions of four or five atoms, by one or two columns; the first may nest in a level above."""
    atoms, columns = (5, 1) if rng.random() < 0.6 else (4, 2)
    drawn = {name: rng.integers(0, 3, atoms) for name in ("lsoa", "ward")}
    divisions = {name: np.array([f"{name[0].upper()}{at}" for at in own]) for name, own in drawn.items()}
    overlap = Overlap.of(divisions)
    pairs = [f"{one} & {other}" for one, other in zip(*divisions.values(), strict=True)]
    found = sorted(set(pairs))
    dimensions = {"benefit": ["jsa", "uc"]} if columns > 1 else {}

    def make(counts: np.ndarray) -> list[Table]:
        of_atoms = counts.reshape(len(found), columns)
        tables = []
        for at in range(2):
            own = np.array([pair.split(" & ")[at] for pair in found])
            codes = np.unique(own)
            finest = np.array([of_atoms[own == code].sum(axis=0) for code in codes])
            tables.append(table_of(flat_tree(("lsoa", "ward")[at], codes), dimensions, finest))
        return tables

    untold = {}
    for at, name in enumerate(found):
        cells = np.zeros((len(found), columns), np.int64)
        ends = ["jsa", "uc", "Total"] if columns > 1 else [""]
        for column, end in enumerate(ends):
            cells[:] = 0
            cells[at, slice(None) if end in ("", "Total") else column] = 1
            untold[f"atom of area {name}{', ' if end else ''}{end}"] = cells.ravel().copy()
    world = drawn_counts(rng, len(found) * columns)
    alike = any_way(rng) if rng.random() < 0.7 else None
    publish = [alike or any_way(rng) for _ in range(2)]
    return made("two geographies", ["a", "b"], make, world, publish, rng, overlaps={AREAS: overlap}, untold=untold)


def two_lists_of_bands(rng: np.random.Generator) -> Case:
    """One or two areas by two lists of ages that cut each other (V11)."""
    ages = 4 if rng.random() < 0.5 else 3
    cuts = {"first": [0, 1, 1, 2][:ages], "second": [0, 0, 1, 1][:ages]}
    divisions = {name: np.array([f"{name}{at}" for at in own]) for name, own in cuts.items()}
    hierarchy = flat_tree("oa", ["A", "B"]) if ages == 3 and rng.random() < 0.5 else flat_tree("oa", ["A"], top="none")
    areas = hierarchy.units[0]

    def make(counts: np.ndarray) -> list[Table]:
        whole = counts.reshape(areas, ages)
        tables = []
        for own in divisions.values():
            codes = np.unique(own)
            finest = np.stack([whole[:, own == code].sum(axis=1) for code in codes], axis=1)
            tables.append(table_of(hierarchy, {"age": codes.tolist()}, finest))
        return tables

    untold = {}
    for age in range(ages):
        name = " & ".join(codes[age] for codes in divisions.values())
        for level, codes in zip(hierarchy.levels, hierarchy.codes, strict=True):
            for unit, code in enumerate(codes):
                cells = np.zeros((areas, ages), np.int64)
                cells[slice(None) if level != "oa" else unit, age] = 1
                untold[f"{level} {code}, {name}"] = cells.ravel()
    world = drawn_counts(rng, areas * ages)
    publish = [any_way(rng) for _ in range(2)]
    overlaps = {"age": Overlap.of(divisions)}
    return made("two lists of bands", ["a", "b"], make, world, publish, rng, overlaps=overlaps, untold=untold)


def two_editions(rng: np.random.Generator) -> Case:
    """One reference date, published and revised; areas as they were."""
    hierarchy = [tree(), tree([0, 0]), tree([0, 0, 0])][int(rng.integers(3))]
    areas = hierarchy.units[0]
    columns = 2 if areas < 3 and rng.random() < 0.5 else 1
    dimensions = {"benefit": ["jsa", "uc"]} if columns > 1 else {}

    def make(counts: np.ndarray) -> list[Table]:
        return [table_of(hierarchy, dimensions, each.reshape(areas, columns)) for each in np.split(counts, 2)]

    first = drawn_counts(rng, areas * columns)
    second = np.maximum(first + rng.choice([0, 0, 0, 1, -1, 2, 4], len(first)), 0)
    alike = any_way(rng)
    publish = [alike, alike if rng.random() < 0.8 else as_counted]
    measures = ["first edition", "second edition"]
    revision = Revision(before=measures[0], after=measures[1])
    world = np.concatenate([first, second])
    return made("two editions", measures, make, world, publish, rng, measures=measures, revisions=[revision])


def two_dates(rng: np.random.Generator) -> Case:
    """A caseload, the next, who came and who went: after + off = before + on."""
    hierarchy = flat_tree("oa", ["A", "B"]) if rng.random() < 0.5 else flat_tree("oa", ["A"], top="none")
    areas = hierarchy.units[0]
    stayed, on, off = (drawn_counts(rng, areas) for _ in range(3))
    names = ["before", "on", "off", "after"]
    case = made(
        "two dates",
        names[:3],
        lambda counts: [table_of(hierarchy, {}, each) for each in np.split(counts, 3)],
        np.concatenate([stayed + off, on, off]),
        [any_way(rng, but=["suppressed"]) for _ in range(3)],
        rng,
        measures=names[:3],
        told=False,
        flows=[Flow(before="before", after="after", on="on", off="off")],
    )
    # The last is no sum of the others, but what they leave: it cannot be made for every world.
    safe, known = any_way(rng)(table_of(hierarchy, {}, stayed + on), rng)
    piece = piece_of_table("after", safe, measure="after", known=known)
    before, came, left = case.sums
    return replace(
        case,
        targets=[*case.targets, Target(piece=piece, table=safe, known=known)],
        sums=[before, came, left, before + came - left],
    )


def people_beside_claims(rng: np.random.Generator) -> Case:
    """People with the first benefit alone, the second alone, or both; claims by benefit, and people."""
    hierarchy = tree([0, 0]) if rng.random() < 0.4 else tree()
    areas = hierarchy.units[0]

    def make(counts: np.ndarray) -> list[Table]:
        first, second, both = counts.reshape(areas, 3).T
        return [
            table_of(hierarchy, {"benefit": ["jsa", "uc"]}, np.stack([first + both, second + both], axis=1)),
            table_of(hierarchy, {}, first + second + both),
        ]

    alike = any_way(rng)
    publish = [alike, alike if rng.random() < 0.6 else any_way(rng)]
    world = drawn_counts(rng, areas * 3)
    within = [Within(parts="claims", whole="people", by="benefit")]
    names = ["claims", "people"]
    return made("people beside claims", names, make, world, publish, rng, measures=names, within=within, told=False)


KINDS: dict[str, Callable[[np.random.Generator], Case]] = {
    **{way: one_table(way) for way in PUBLISH},
    "linked by totals": linked([["benefit"], ["sex"]]),
    "linked by totals, three": linked([["benefit"], ["sex"], []]),
    "linked by a margin": linked([["benefit", "sex"], ["benefit"]]),
    "linked in a chain": linked([["benefit", "sex"], ["age", "sex"]]),
    "linked in a ring": linked([["benefit", "sex"], ["age", "sex"], ["age", "benefit"]], loose=True),
    "two geographies": two_geographies,
    "two lists of bands": two_lists_of_bands,
    "two editions": two_editions,
    "two dates": two_dates,
    "people beside claims": people_beside_claims,
}


def drawn_case(kind: str, seed: int) -> Case:
    """The case of a kind and a seed, always the same."""
    return KINDS[kind](np.random.default_rng([zlib.crc32(kind.encode()), seed]))
