"""Amounts with p% protection: small textbook tables, and the test table of τ-ARGUS."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from system_tools import two_way

from common.faults import Infeasible
from sdc.cube import Axis, Cube, all_margins, flat_axis
from sdc.rules.amounts import Amounts, Dominance, PPercent
from sdc.solver import OPTIMAL
from sdc.suppression.amounts import AmountSuppression, amount_demands, in_units, proven_amounts, suppress_amounts
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.demands import room_of
from sdc.suppression.general import GeneralSuppression
from sdc.tables import Hierarchy

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"


def dominated(system, cell, *, largest, second=0.0):
    """The system's amounts, one cell of which has large contributors; all others have many small ones."""
    totals = system.counts.astype(float)
    top = np.stack([totals / 10, totals / 10], axis=-1)
    top[cell] = largest, second
    return Amounts(totals=totals, largest=top)


def table():
    """Turnover of three trades in three towns."""
    return two_way([[20, 50, 10], [8, 19, 22], [17, 32, 12]])


def test_handbook_levels():
    """Handbook 4.2, example 4: (52000, 50000, 8000) is safe at p = 10 and protected by nothing; at p = 20 it needs 2400."""
    system = two_way([[110_000]])
    amounts = dominated(system, 0, largest=52_000.0, second=50_000.0)
    assert len(amount_demands(system, amounts, AmountSuppression(rule=PPercent(p=10)))) == 0
    demands = amount_demands(system, amounts, AmountSuppression(rule=PPercent(p=20)))
    assert demands.cells.tolist() == [0]
    assert demands.upper.tolist() == demands.lower.tolist() == [0.2 * 52_000 - 8_000]


def test_one_unsafe_cell_is_protected_by_the_cheapest_square():
    """F&S style table: the cell of 22 is unsafe; a square through 8, 17 and 12 is cheapest, and wide enough."""
    system = table()
    cell = 6  # second town, third trade, 22
    assert system.counts[cell] == 22
    spec = AmountSuppression(rule=PPercent(p=20))
    amounts = dominated(system, cell, largest=20.0, second=1.0)
    done = suppress_amounts(system, amounts, spec=spec)
    assert done.status == OPTIMAL
    assert sorted(system.counts[done.hidden].tolist()) == [8, 12, 17, 22]
    found = proven_amounts(system, done.hidden, np.array([cell]))
    level = 0.2 * 20 - 1
    assert found.lo[0] <= 22 - level and found.hi[0] >= 22 + level


def test_v3_bounds_of_four_hidden_cells():
    """V3: 8, 22, 17, 12 hidden with residual sums 30, 29 and 25, 34 -> the 22 lies in [5, 30]."""
    system = table()
    hidden = np.isin(np.arange(16), [4, 6, 8, 10])
    assert system.counts[hidden].tolist() == [8, 22, 17, 12]
    found = proven_amounts(system, hidden, np.array([6]))
    assert (found.lo[0], found.hi[0]) == (5.0, 30.0)
    assert found.exact.all()


def test_wide_levels_need_more_cells():
    """A level that one square cannot hold takes more cells: the pattern grows with p until nothing protects."""
    system = table()
    patterns = []
    for p in (20, 60, 95):
        amounts = dominated(system, 6, largest=22.0)
        spec = AmountSuppression(rule=PPercent(p=p))
        done = suppress_amounts(system, amounts, spec=spec)
        demands = amount_demands(system, amounts, spec)
        assert attacked_demands(system, demands, done.hidden, room_of(system), whole=False).all()
        patterns.append(done.cost)
    assert patterns[0] < patterns[1] < patterns[2]


def test_lone_contributors_do_not_protect_each_other():
    """Two unsafe cells of one contributor each, hidden in one row and column square: each could work out the other."""
    system = two_way([[30, 40, 25], [35, 20, 45], [28, 31, 50]])
    totals = system.counts.astype(float)
    top = np.stack([totals / 10, totals / 10], axis=-1)
    for cell in (0, 5):  # 30 and 20, opposite corners
        top[cell] = totals[cell], 0.0
    amounts = Amounts(totals=totals, largest=top)
    plain = suppress_amounts(system, amounts, spec=AmountSuppression(rule=PPercent(p=10)))
    guarded = AmountSuppression(rule=PPercent(p=10), lone=True)
    demands = amount_demands(system, amounts, guarded)
    assert len(demands) == 4
    assert not attacked_demands(system, demands, plain.hidden, room_of(system), whole=False).all()
    done = suppress_amounts(system, amounts, spec=guarded)
    assert attacked_demands(system, demands, done.hidden, room_of(system), whole=False).all()
    assert done.cost > plain.cost


def test_dominance_and_pieces():
    """(n, k)-dominance, and the piecewise way, which proves what it does and costs no less than the best."""
    system = table()
    amounts = dominated(system, 6, largest=21.0)
    spec = AmountSuppression(rule=Dominance(n=1, k=80))
    best = suppress_amounts(system, amounts, spec=spec)
    pieces = AmountSuppression(rule=spec.rule, pattern=GeneralSuppression(exact_cells=0))
    done = suppress_amounts(system, amounts, spec=pieces)
    assert (best.path, done.path) == ("exact", "pieces")
    assert best.cost <= done.cost
    demands = amount_demands(system, amounts, spec)
    for pattern in (best.hidden, done.hidden):
        assert attacked_demands(system, demands, pattern, room_of(system), whole=False).all()


def test_refusals():
    system = table()
    with pytest.raises(ValueError, match="same unit"):
        amount_demands(
            system, Amounts(totals=np.ones(16), largest=np.zeros((16, 2))), AmountSuppression(rule=PPercent())
        )
    alone = two_way([[9, 0], [0, 4]])
    with pytest.raises(Infeasible, match="row r0, c0"):
        suppress_amounts(
            alone,
            dominated(alone, 0, largest=9.0),
            spec=AmountSuppression(rule=PPercent(p=300)),
            room=room_of(alone, upper=alone.counts + 1),
        )
    assert in_units(np.array([1.25, 3.0]), 2).tolist() == [125, 300]
    with pytest.raises(ValueError, match="decimal places"):
        in_units(np.array([1.255]), 2)
    with pytest.raises(ValueError, match="larger one"):
        in_units(np.array([1e13]), 0)


def argus_table():
    """The 9 × 17 table: places, amounts in cents, contributions, what τ-ARGUS made of each cell."""
    with open(EXAMPLES / "tauargus_size_by_region.csv", newline="") as file:
        rows = {(row["region"], row["size"]): row for row in csv.DictReader(file)}
    tree = json.loads((EXAMPLES / "tauargus-size-by-region.json").read_text())["hierarchy"]["region"]
    tops = sorted(tree["Total"])
    parts = sorted(part for top in tops for part in tree[top])
    parents = [next(at for at, top in enumerate(tops) if part in tree[top]) for part in parts]
    regions = Hierarchy(
        levels=("region", "part"), codes=(np.array(parts), np.array(tops)), parents=(np.array(parents, np.int32),)
    )
    sizes = sorted({size for _, size in rows} - {"Total"})
    axes = (Axis(hierarchy=regions), flat_axis("size", sizes))
    finest = in_units(np.array([[float(rows[part, size]["value"]) for size in sizes] for part in parts]), 2)
    cube = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    places = [[axis.code(place)[1] for place in range(size)] for axis, size in zip(axes, cube.shape, strict=True)]
    told = [rows[region, size] for region in places[0] for size in places[1]]
    return cube.system(), told


@pytest.mark.real_areas
def test_tauargus_size_by_region():
    """p% = 15: 9 unsafe cells; τ-ARGUS hides 12 more worth 2,524,351; the best pattern is no dearer, and protects all."""
    system, told = argus_table()
    expected = json.loads((EXAMPLES / "tauargus-size-by-region.json").read_text())
    assert [float(row["value"]) for row in told] == pytest.approx((system.counts / 100).tolist())
    amounts = Amounts(
        totals=system.counts.astype(float),
        largest=np.array([[float(row["top1"]), float(row["top2"])] for row in told]) * 100,
    )
    spec = AmountSuppression(rule=PPercent(p=15))
    demands = amount_demands(system, amounts, spec)
    status = np.array([row["tau_status"] for row in told])
    assert demands.cells.tolist() == np.flatnonzero(status == "unsafe").tolist()
    assert len(demands) == expected["expected"]["unsafe"] == 9
    theirs = np.isin(status, ["unsafe", "secondary"])
    assert attacked_demands(system, demands, theirs, room_of(system), whole=False).all()
    done = suppress_amounts(system, amounts, spec=spec)
    assert done.status == OPTIMAL
    assert attacked_demands(system, demands, done.hidden, room_of(system), whole=False).all()
    assert done.cost / 100 <= expected["expected"]["secondary_value_sum"]
    pieces = AmountSuppression(rule=spec.rule, pattern=GeneralSuppression(exact_cells=0))
    assert done.cost <= suppress_amounts(system, amounts, spec=pieces).cost


@pytest.mark.real_areas
def test_tauargus_bounds_of_the_expected_pattern():
    """The bounds of all 21 hidden cells, derived by linear programming and stored with the table."""
    system, told = argus_table()
    stored = json.loads((EXAMPLES / "tauargus-size-by-region.json").read_text())["bounds_by_linear_programming"]
    at = {(row["region"], row["size"]): cell for cell, row in enumerate(told)}
    hidden = np.isin([row["tau_status"] for row in told], ["unsafe", "secondary"])
    cells = np.array([at[each["region"], each["size"]] for each in stored])
    assert sorted(cells.tolist()) == np.flatnonzero(hidden).tolist()
    found = proven_amounts(system, hidden, cells)
    assert (found.lo / 100).tolist() == pytest.approx([each["lower"] for each in stored], abs=1e-3)
    assert (found.hi / 100).tolist() == pytest.approx([each["upper"] for each in stored], abs=1e-3)
