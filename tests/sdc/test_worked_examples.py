"""Published outcomes, read from the folder of worked examples beside the checkout; each has a test that names its file."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from attack_tools import tree, true_table
from suppression_tools import KEY, PLAIN, hidden_of, mask
from system_tools import nest, sum_system, two_way

from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals
from sdc.cube import Cube, all_margins
from sdc.joining import join_systems
from sdc.rounding.conventional import round_conventional
from sdc.rules.amounts import Amounts, Dominance, PPercent, amounts_of
from sdc.rules.flags import apply_rules
from sdc.rules.threshold import Threshold
from sdc.solver import OPTIMAL
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.audit import audit_pattern
from sdc.suppression.demands import Demands, room_of
from sdc.suppression.exact import optimal_suppression
from sdc.suppression.general import suppress_system
from sdc.suppression.spec import Protection
from sdc.suppression.suppress import suppress_table
from sdc.system import CellSystem

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"
TESTS = Path(__file__).parent
pytestmark = pytest.mark.real_areas


def told(name: str) -> dict:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def bounds(system: CellSystem, hidden: np.ndarray, cells: np.ndarray) -> list[list[int]]:
    """What all cells but the hidden ones say of some of them."""
    lo, hi = np.where(hidden, 0, system.counts), np.where(hidden, NO_BOUND, system.counts)
    found = feasible_intervals(system.equations, lo, hi, asked=cells)
    assert found.exact.all()
    return np.column_stack([found.lo, found.hi]).tolist()


def test_every_worked_example_has_a_test() -> None:
    """Each file is named by a test of these rooms."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    for file in sorted(EXAMPLES.iterdir()):
        if file.suffix in (".json", ".csv"):
            assert f'"{file.name}"' in sources or f'told("{file.stem}")' in sources, file.name


def test_worked_example_feasibility_interval_geurts() -> None:
    """Four hidden cells of 3 × 2: by a programme for each, seen from outside, and by max flow on the network."""
    example = told("feasibility-interval-geurts")
    value = {(cell["row"], cell["col"]): cell["value"] for cell in example["cells"]}
    rows, columns = ("1", "2", "3"), ("1", "2")
    # A table that fits: the corner as large as may be, the others what is left.
    corner = min(value["1", "Total"], value["Total", "1"] - value["3", "1"])
    inner = np.array([[corner, value["1", "Total"] - corner], [0, 0], [value["3", column] for column in columns]])
    inner[1] = [value["Total", column] - inner[:, place].sum() for place, column in enumerate(columns)]
    system = two_way(inner)
    assert system.counts[-1] == value["Total", "Total"]
    names = [f"({row},{column})" for row in rows[:2] for column in columns]
    square = np.array([0, 1, 3, 4])
    hidden = np.isin(np.arange(len(system)), square)
    derived = [example["derived_by_linear_programming"][name] for name in names]
    assert bounds(system, hidden, square) == derived
    table = true_table(tree([0, 0, 0]), inner)
    cells = mask(table, *[(0, unit, column) for unit in (0, 1) for column in (0, 1)])
    far = tuple(np.full_like(counts, 99) for counts in table.counts)
    audit = audit_pattern(table, cells, key=KEY, asking=cells, protection=Protection(lower=far, upper=far))
    lo, hi = audit.intervals.lo[0][:2, :2].ravel(), audit.intervals.hi[0][:2, :2].ravel()
    assert np.column_stack([lo, hi]).tolist() == derived
    assert derived[0] == example["published"]["(1,1)"]


def test_worked_example_geographic_differencing() -> None:
    """Two nearly equal areas, both published: the sliver between them is exact in every cell."""
    example = told("geographic-differencing")
    inside, outside, sliver = (
        [count for row in example[name] for count in row[1:]]
        for name in ("area_by_2001_oa", "area_by_1991_ed", "difference")
    )
    size = len(sliver)
    system = sum_system([*inside, *outside, *sliver], [(size + cell, [cell, 2 * size + cell]) for cell in range(size)])
    asked = np.arange(2 * size, 3 * size)
    assert bounds(system, np.arange(3 * size) >= 2 * size, asked) == [[count, count] for count in sliver]


def county_and_size(example: dict) -> tuple[list[CellSystem], list[str]]:
    """The two tables over the same regions, and the names of these."""
    inner = sorted(example["inner"], key=lambda row: row["region"])
    systems = []
    for group in ("county", "group"):
        codes = sorted({row[group] for row in inner})
        axis = nest(f"region<{group}", [codes.index(row[group]) for row in inner], total=True)
        finest = np.array([row["freq"] for row in inner], np.int64)
        systems.append(Cube(axes=(axis,), finest=finest, margins=all_margins((axis,))).system())
    return systems, [row["region"] for row in inner]


def test_worked_example_linked_tables_county_and_size() -> None:
    """Each table is safe alone with its primaries hidden; together one more cell must go, by the best way and by pieces."""
    example = told("linked-tables-county-and-size")
    expected = example["expected"]
    systems, regions = county_and_size(example)

    def primary_of(system: CellSystem) -> np.ndarray:
        return (system.counts > 0) & (system.counts <= 3)

    def best(system: CellSystem) -> np.ndarray:
        none, primary = np.zeros(len(system)), primary_of(system)
        found = optimal_suppression(
            system,
            primary=primary,
            lower_level=none,
            upper_level=none,
            width_level=np.where(primary, 1.0, 0.0),
            weights=np.maximum(system.counts, 1.0),
        )
        assert found.status == OPTIMAL
        return found.hidden & ~primary

    for system in systems:
        assert primary_of(system).sum() == expected["primary_per_table"]
        assert best(system).sum() == expected["secondary_needed_when_each_table_is_protected_alone"]
    joined = join_systems(systems).system
    assert [regions[cell] for cell in np.flatnonzero(primary_of(joined)[:8])] == expected["primary_cells"]
    totals = {joined.name(cell): int(joined.counts[cell]) for cell in range(8, len(joined))}
    assert sorted(totals.values()) == sorted(example["published_totals"].values())
    k = np.array([regions.index("K")])
    assert bounds(joined, primary_of(joined), k) == [[3, 3]], example["why"]
    more = np.flatnonzero(best(joined))
    assert len(more) == expected["secondary_needed_when_linked"]
    assert f"{regions[more[0]]} ({joined.counts[more[0]]})" == expected["secondary_cell"]
    primary = primary_of(joined)
    width = Demands.of(
        np.flatnonzero(primary),
        lower=np.zeros(primary.sum()),
        upper=np.zeros(primary.sum()),
        width=np.ones(primary.sum()),
    )
    pieces = suppress_system(joined, width, weights=np.maximum(joined.counts, 1.0))
    assert np.flatnonzero(pieces.hidden & ~primary).tolist() == more.tolist()


REGIONS, GENDERS = ["A", "B", "C", "D"], ["male", "female"]


def test_worked_example_region_by_gender_single_primary() -> None:
    """Three secondary cells, by the network with its audit and by the best pattern; which two regions is a matter of cost."""
    example = told("region-by-gender-single-primary")
    value = {(cell["region"], cell["gender"]): cell["value"] for cell in example["cells"]}
    inner = np.array([[value[region, gender] for gender in GENDERS] for region in REGIONS])
    table = true_table(tree([0] * 4), inner)
    flags = apply_rules(table, [Threshold(min_count=3)])
    (place,) = np.argwhere(flags.hit[0])
    assert [{"region": REGIONS[place[0]], "gender": GENDERS[place[1]]}] == example["primary"]
    assert not flags.hit[1].any()
    expected = example["expected"]

    def pattern(name: str) -> list[list[int]]:
        return sorted([REGIONS.index(cell["region"]), GENDERS.index(cell["gender"])] for cell in expected[name])

    safe, _ = suppress_table(table, primary=flags.hit, spec=PLAIN, key=KEY, protection=upper_of(table, 3))
    found = np.argwhere(hidden_of(safe)[0]).tolist()
    assert len(found) == 1 + expected["number_of_secondary"] and not hidden_of(safe)[1].any()
    assert len(value) - len(found) == expected["publishable_cells"]
    system = two_way(inner)
    primary = np.isin(np.arange(len(system)), [1])
    levels = {"lower_level": np.where(primary, 2.0, 0), "upper_level": np.where(primary, 1.0, 0)}
    best = optimal_suppression(system, primary=primary, weights=np.maximum(system.counts, 1.0), **levels)
    least = [[cell // 3, cell % 3] for cell in np.flatnonzero(best.hidden).tolist()]
    assert least == pattern("optimal_hypercube_hitas_and_simple_heuristic")
    cells = [3 * region + gender for region, gender in least]
    derived = example["derived_by_linear_programming"]
    names = [f"({REGIONS[region]},{GENDERS[gender]})" for region, gender in least]
    assert bounds(system, best.hidden, np.array(cells)) == [derived[name] for name in names]
    other = np.isin(np.arange(len(system)), [3 * region + gender for region, gender in pattern("gauss_method_pattern")])
    demands = Demands.of(np.array([1]), lower=np.array([2]), upper=np.array([1]))
    for hidden in (best.hidden, other):
        assert attacked_demands(system, demands, hidden, room_of(system), whole=True).all()


def upper_of(table, least: int) -> Protection:
    """Intervals from 0 to `least` for counts below it."""
    return Protection(lower=table.counts, upper=tuple(np.maximum(least - counts, 0) for counts in table.counts))


def test_worked_example_region_by_gender_amounts() -> None:
    """The 100 records, file "microdata1_100_records.csv": the same two cells are unsafe by dominance, by p % and by (p, q).

    (p, q) says that contributors are known to within q % beforehand: p % with 100 p / q.
    """
    example = told("region-by-gender-single-primary")
    with (EXAMPLES / "microdata1_100_records.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    order = [(region, gender) for region in ("total", *REGIONS) for gender in ("total", *GENDERS)]
    cells, values = [], []
    for record in records:
        for number, (region, gender) in enumerate(order):
            if region in ("total", record["region"]) and gender in ("total", record["gender"]):
                cells.append(number)
                values.append(float(record["val"]))
    amounts: Amounts = amounts_of(np.array(cells), np.array(values), number=len(order))
    counts = {(cell["region"], cell["gender"]): cell["value"] for cell in example["cells"]}
    assert [cells.count(number) for number in range(len(order))] == [counts[place] for place in order]
    rules = [Dominance(n=2, k=75), PPercent(p=70), PPercent(p=100 * 60 / 80)]
    for rule, each in zip(rules, example["other_primary_rules"], strict=True):
        unsafe = (1 + np.flatnonzero(rule.flags(amounts).hit[0])).tolist()
        assert unsafe == each["unsafe_positions"], each["rule"]


def test_worked_example_conventional_rounding_of_the_handbook() -> None:
    """As printed, but for the misprint that is named: C, Total is 30, and B, Total what 6 is rounded to, 5."""
    example = told("rounding-base-5-handbook")
    original, printed = example["original"], example["published_conventional"]
    table = true_table(tree([0, 0, 0]), [row[1:3] for row in original[:3]])
    safe = round_conventional(table, base=5, min_count=5)
    shown = np.concatenate(safe.values)
    differing = np.argwhere(shown != np.array([row[1:] for row in printed]))
    assert differing.tolist() == [[2, 2]]
    assert (shown[2, 2], printed[2][3]) == (30, 35)
