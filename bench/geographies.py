"""Eight quarters of one region in two geographies that do not nest, attacked as one by `audit_together`.

Output areas nest in LSOAs; *own areas* of about 23 of them cut LSOAs, and share several with a neighbour, so that
overlaps form rings.  Both nest in authorities.  Every quarter some claims end and others begin.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.attacking import MIN_COUNT, ONE, SAFE, known_of
from bench.made import true_tables
from bench.measure import Cost, costed, in_child
from bench.results import Row, Section, minutes_row, per_cell_rows
from bench.tablework import AUTHORITIES, TYPICAL_AUTHORITY, below, coarser, nearest_units
from sdc.attack.joint import AREAS
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.findings import Audit
from sdc.tables import Hierarchy, SafeTable, Table

__all__ = ["measure_geographies"]

QUARTERS = 8
MINUTES = 5
SEED = 11
# Of a turn of output areas in order, those that lie in the first of two own areas; the rest lie in the second.
TURN, FIRST_OF_TWO = 46, (slice(0, 19), slice(28, 32))
LEFT, JOINED = 0.9, 0.1
LSOA = 1
TOGETHER = "rounded together"


@dataclass(frozen=True, kw_only=True)
class _Case:
    """How tables were made, and the smallest level of areas that is published; own areas are published in any case."""

    how: str
    level: int

    @property
    def label(self) -> str:
        smallest = "output areas too" if self.level == 0 else "from LSOA up"
        return f"audit_together, LSOAs and own areas, {self.how}, {smallest}"


CASES = (
    _Case(how="suppressed", level=0),
    _Case(how="suppressed", level=LSOA),
    _Case(how=TOGETHER, level=0),
    _Case(how=TOGETHER, level=LSOA),
    _Case(how="rounded each on its own", level=0),
    _Case(how="rounded each on its own", level=LSOA),
    _Case(how="rounded at random, each on its own", level=0),
    _Case(how="rounded at random, each on its own", level=LSOA),
    _Case(how="small counts rounded", level=0),
    _Case(how="noisy", level=0),
    _Case(how="noisy", level=LSOA),
)
GROWING = _Case(how="rounded each on its own", level=LSOA)


def measure_geographies(folder: Path) -> list[Section]:
    """Each case once, eight quarters in a process of its own; then one quarter of authorities, region and country."""
    rows = []
    for case in CASES:
        print(f"  {case.label}", file=sys.stderr, flush=True)
        (of, told, cost), _ = in_child(_quarters, folder, case)
        row = minutes_row(f"{case.label}, {QUARTERS} quarters of a region", of, cost, MINUTES)
        rows.append(Row(**{**row.__dict__, "figure": f"{row.figure}, {told}"}))
    print(f"  {GROWING.label}, from an authority to the country", file=sys.stderr, flush=True)
    (sizes, costs), _ = in_child(_growth, folder, GROWING)
    return [
        Section(title="The attacker on two geographies", rows=tuple(rows)),
        Section(
            title="The attacker on two geographies, cost per cell from an authority to the country",
            rows=tuple(per_cell_rows(f"{GROWING.label}, one quarter", sizes, costs)),
        ),
    ]


def _quarters(folder: Path, case: _Case) -> tuple[str, str, Cost]:
    """What was attacked, what was found of it in words, and the cost; an authority is attacked before, for nothing."""
    whole = true_tables(folder, [ONE])[ONE]
    areas = whole.hierarchy
    lad, rgn = areas.levels.index("lad"), areas.levels.index("rgn")
    small = below(whole, lad, nearest_units(areas, lad, TYPICAL_AUTHORITY)[0])
    _ready([small], case)()
    region = below(whole, rgn, nearest_units(areas, rgn, None)[0])
    attack = _ready(_later(region, QUARTERS), case)
    audit, cost = costed(attack)
    of = f"{region.hierarchy.units[0]:,} areas, {attack.cells:,} cells"
    return of, _told(audit), cost


def _growth(folder: Path, case: _Case) -> tuple[dict[str, tuple[int, int]], dict[str, list[Cost]]]:
    """By place its areas and cells, and the cost of one run; each place has been attacked before, for nothing."""
    whole = true_tables(folder, [ONE])[ONE]
    areas = whole.hierarchy
    lad, rgn = areas.levels.index("lad"), areas.levels.index("rgn")
    places = {
        "authority": [below(whole, lad, unit) for unit in nearest_units(areas, lad, TYPICAL_AUTHORITY, AUTHORITIES)],
        "region": [below(whole, rgn, nearest_units(areas, rgn, None)[0])],
        "country": [whole],
    }
    sizes, costs = {}, {}
    for place, tables in places.items():
        attacks = [_ready([table], case) for table in tables]
        if place == "authority":
            attacks[0]()
        costs[place] = [costed(lambda attacks=attacks: [attack() for attack in attacks])[1]]  # type: ignore[misc]
        sizes[place] = sum(table.hierarchy.units[0] for table in tables), sum(attack.cells for attack in attacks)
    return sizes, costs


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ready:
    """An attack made ready: targets, how areas lie on each other, and published cells."""

    targets: tuple[Target, ...]
    overlaps: dict[str, Overlap]
    cells: int

    def __call__(self) -> Audit:
        return audit_together(self.targets, min_count=MIN_COUNT, overlaps=self.overlaps)


def _ready(quarters: Sequence[Table], case: _Case) -> _Ready:
    tree = quarters[0].hierarchy
    own = _own_areas(tree)
    targets, cells = [], 0
    for number, table in enumerate(quarters):
        other = Table.from_finest(
            hierarchy=own, classification=table.classification, finest=table.counts[0][:, : len(table.classification)]
        )
        for name, safe in _safe(table, other, case).items():
            known = known_of(safe)
            piece = piece_of_table(f"{name} Q{number + 1}", safe, measure=f"Q{number + 1}", known=known)
            targets.append(Target(piece=piece, table=safe, known=known))
            cells += sum(values.size for values in safe.values)
    columns = {tree.levels[case.level]: tree.codes[case.level][tree.ancestors(0, case.level)]}
    columns["own"] = own.codes[1][own.ancestors(0, 1)]
    return _Ready(targets=tuple(targets), overlaps={AREAS: Overlap.of(columns)}, cells=cells)


def _safe(table: Table, other: Table, case: _Case) -> dict[str, SafeTable]:
    """The published tables of both geographies; rounded together they are sums of the same rounded output areas."""
    if case.how != TOGETHER:
        return {"lsoa": SAFE[case.how](coarser(table, case.level)), "own": SAFE[case.how](coarser(other, LSOA))}
    rounded = SAFE[case.how](table)
    finest = rounded.values[0][:, : len(table.classification)]
    found = {}
    for name, true, level in (("lsoa", table, case.level), ("own", other, LSOA)):
        summed = coarser(
            Table.from_finest(hierarchy=true.hierarchy, classification=true.classification, finest=finest), level
        )
        found[name] = SafeTable(
            hierarchy=summed.hierarchy,
            classification=summed.classification,
            values=summed.counts,
            method=rounded.method,
        )
    return found


def _own_areas(tree: Hierarchy) -> Hierarchy:
    """The same output areas in own areas, which nest in authorities and all above these, and not in LSOAs."""
    lad = tree.levels.index("lad")
    authority = tree.ancestors(0, lad)
    first = np.searchsorted(authority, np.arange(tree.units[lad]))
    place = np.arange(tree.units[0]) - first[authority]
    second = np.ones(TURN, np.int64)
    for part in FIRST_OF_TWO:
        second[part] = 0
    pairs, own = np.unique(
        np.stack([authority, 2 * (place // TURN) + second[place % TURN]], axis=1), axis=0, return_inverse=True
    )
    return Hierarchy(
        levels=("oa", "own", *tree.levels[lad:]),
        codes=(tree.codes[0], np.array([f"N{number:07}" for number in range(len(pairs))]), *tree.codes[lad:]),
        parents=(own.ravel().astype(np.int32), pairs[:, 0].astype(np.int32), *tree.parents[lad:]),
    )


def _later(table: Table, quarters: int) -> list[Table]:
    """The table, and what becomes of its counts quarter after quarter."""
    rng = np.random.default_rng(SEED)
    finest = table.counts[0][:, : len(table.classification)]
    tables = []
    for _ in range(quarters):
        tables.append(Table.from_finest(hierarchy=table.hierarchy, classification=table.classification, finest=finest))
        finest = rng.binomial(finest, LEFT) + rng.poisson(JOINED * finest.mean(axis=0), finest.shape)
    return tables


def _told(audit: Audit) -> str:
    def total(ending: str) -> int:
        figures = [figure for name, figure in audit.figures.items() if name.endswith(ending)]
        return sum(figure for figure in figures if isinstance(figure, int))

    ways = {"by walks": ": walks", "by linear programmes": ": LP", "by mixed-integer ones": ": MIP"}
    told = [f"{number:,} {way}" for way, ending in ways.items() if (number := total(ending))]
    left = sum(int(one) for text in audit.not_checked for one in re.findall(r"(\d+) cells of which an end", text))
    return f"cells {', '.join(told)}; {left:,} perhaps not exact" if told else "by the theorem"
