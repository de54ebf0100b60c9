"""Suppression of cubes as tables are suppressed: prices, choices, decoys, lone claimants, report, advice; and the attack."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from system_tools import nest

from common.faults import Infeasible
from sdc.attack.changes import Changes
from sdc.attack.intervals import NO_BOUND
from sdc.attack.programmes import feasible_intervals
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.cube import Cube, all_margins, finest_and_total, flat_axis, one_way_margins
from sdc.suppression.attacked import attacked_demands
from sdc.suppression.cells import CellChoices
from sdc.suppression.cubes import advise_cube, suppress_cube
from sdc.suppression.demands import Demands, room_of
from sdc.suppression.evidence import Claims, changes_over
from sdc.suppression.general import GeneralSuppression
from sdc.suppression.insiders import learned_by_claimants
from sdc.suppression.report import DECOY, FORCED, PRIMARY, SECONDARY
from sdc.suppression.spec import SuppressionSpec
from sdc.tables import NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED, TOTAL

KEY = b"no secret: a key for tests of cubes"
# What is tested here holds whatever the effort.
BOXES = GeneralSuppression(exact_cells=0, rounds=1, passes=1, polish_cells=0)


def cube(seed, mean=4.0, areas=12, margins=all_margins, per=4):
    axes = (
        nest("oa<lsoa<lad", [i // per for i in range(areas)], [0] * (areas // per)),
        flat_axis("age", ["o", "m", "y"]),
        flat_axis("sex", ["f", "m"]),
    )
    rng = np.random.default_rng(seed)
    finest = rng.poisson(mean * rng.gamma(2, 0.5, (areas, 1, 1)) * np.array([1.5, 1, 0.5])[:, None], (areas, 3, 2))
    return Cube(axes=axes, finest=finest, margins=margins(axes))


def flagged(system, min_count=5):
    return (system.counts > 0) & (system.counts < min_count) & system.shown


def suppress(made, **options):
    options = {"spec": SuppressionSpec(), "key": KEY, "pattern": BOXES} | options
    return suppress_cube(made, primary=flagged(made.system()), **options)


def intervals(system, safe, cells):
    hidden = (safe.markers == SUPPRESSED) | (safe.markers == NOT_PUBLISHED)
    lo, hi = np.where(hidden, 0, system.counts), np.where(hidden, NO_BOUND, system.counts)
    found = feasible_intervals(system.equations, lo, hi, asked=cells, start=system.counts)
    return found.lo, found.hi


@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    mean=st.sampled_from([0.3, 1.0, 4.0, 12.0]),
    margins=st.sampled_from([all_margins, one_way_margins, lambda axes: one_way_margins(axes)[1:]]),
)
def test_the_attack_by_programmes_finds_nothing(seed, mean, margins):
    """What boxes prove is judged by elimination, linear and mixed-integer programmes that know nothing of them."""
    made = cube(seed, mean, margins=margins)
    system = made.system()
    spec = SuppressionSpec(decoys=0.05)
    safe, report = suppress(made, spec=spec)
    status, hidden = report.cells.status, safe.markers == SUPPRESSED
    assert report.cells.path == "boxes"
    assert np.array_equal(hidden, status > 0)
    assert np.array_equal(status == PRIMARY, flagged(system))
    cells = np.flatnonzero(hidden)
    lo, hi = intervals(system, safe, cells)
    first = status[cells] != SECONDARY
    x = system.counts[cells]
    assert np.all(lo[first] <= np.maximum(x[first] - 5, 0))
    assert np.all(hi[first] >= 5)
    small = (lo <= 4) & (hi >= 1)
    assert np.all((hi - lo)[small] >= 4)
    assert not learned_by_claimants(system, hidden, room_of(system))
    # What the report says was met lies within what can be proven.
    assert np.all(lo <= report.cells.lo[cells]) and np.all(report.cells.hi[cells] <= hi)


def test_sparse_counts_end_in_a_pattern():
    """94 people in 25 areas by benefit, age and sex: most of the upper cells are small, and everything is protected."""
    areas = nest("oa<lsoa<msoa<lad", [i // 5 for i in range(25)], [0] * 5, [0])
    benefits = flat_axis("benefit", [f"b{i}" for i in range(6)])
    axes = areas, benefits, flat_axis("age", list("abcd")), flat_axis("sex", list("fm"))
    rng = np.random.default_rng(0)
    rate = 0.5 * rng.gamma(2, 0.5, (25, 1, 1, 1)) * np.array([3, 2, 1.5, 1, 0.7, 0.4])[:, None, None]
    finest = rng.poisson(rate * np.array([0.4, 0.3, 0.2, 0.1])[:, None] * 0.5, (25, 6, 4, 2))
    made = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    system = made.system()
    assert len(system) == 3360
    safe, report = suppress(made, pattern=GeneralSuppression(rounds=1, passes=0))
    primary = np.flatnonzero(flagged(system))
    demands = Demands.of(primary, lower=system.counts[primary], upper=5 - system.counts[primary])
    hidden = safe.markers == SUPPRESSED
    changes = report.cells.changes
    assert attacked_demands(system, demands, hidden, room_of(system), whole=True, changes=changes).all()
    published = PublishedCells(
        name="cube", equations=system.equations, safe=safe, names=system.names, truth=system.counts
    )
    audit = audit_cells(published, min_count=5, changes=changes)
    assert not audit.findings
    assert audit.figures["cube: small cells cleared by changes given"] == len(primary)


def test_the_audit_with_changes_is_that_without():
    """Certificates spare programmes; those of another pattern clear nothing, and a leak is found all the same."""
    made = cube(5)
    system = made.system()
    safe, report = suppress(made)

    def audit(safe, changes):
        published = PublishedCells(
            name="cube", equations=system.equations, safe=safe, names=system.names, truth=system.counts
        )
        found = audit_cells(published, min_count=5, changes=changes)
        return sorted((f.kind, f.cell, f.interval) for f in found.findings), found.figures

    hidden = safe.markers == SUPPRESSED
    own = changes_over(system, hidden, room=room_of(system), cells=np.flatnonzero(report.cells.primary), min_count=5)
    for changes in (None, report.cells.changes, own):
        found, _ = audit(safe, changes)
        assert found == []
    leaking = replace(
        safe,
        markers=np.where(report.cells.secondary, SHOWN, safe.markers).astype(np.int8),
        values=np.where(report.cells.secondary, system.counts, safe.values),
    )
    plain, _ = audit(leaking, None)
    given, figures = audit(leaking, report.cells.changes)
    assert plain == given and len(plain) > 0
    assert figures["cube: small cells cleared by changes given"] < int(report.cells.primary.sum())
    with pytest.raises(ValueError, match="truth"):
        audit_cells(
            PublishedCells(name="cube", equations=system.equations, safe=safe, names=system.names),
            min_count=5,
            changes=own,
        )


def test_changes_that_break_anything_do_not_stand():
    """A change that moves a shown cell, breaks a sum or takes a cell below 0 is no evidence; the others are."""
    made = cube(1)
    system = made.system()
    safe, report = suppress(made)
    hidden = safe.markers == SUPPRESSED
    lo, hi = np.where(hidden, 0, system.counts), np.where(hidden, NO_BOUND, system.counts)
    changes = report.cells.changes
    assert changes.standing(system.equations, system.counts, lo, hi).all()
    cells, values = changes.cells[: changes.starts[1]], changes.values[: changes.starts[1]]
    shown = lo.copy(), hi.copy()
    shown[0][cells[0]] = shown[1][cells[0]] = system.counts[cells[0]]
    one = Changes.of([(cells, values), (cells, values + (cells == cells[0])), (cells, -1000 * values)], len(system))
    assert one.standing(system.equations, system.counts, lo, hi).tolist() == [True, False, False]
    assert one.standing(system.equations, system.counts, *shown).tolist() == [False, False, False]
    fall, rise = one.reach(cells[:1], np.array([True, False, False]))
    assert rise[0] - fall[0] == values[0]
    assert one.touching(cells[:1]).all() and not one.touching(np.flatnonzero(~hidden)[:1]).any()
    assert len(Changes.of([], 3)) == 0


def test_decoys_are_hidden_and_protected_as_if_small():
    made = cube(3, mean=12.0)
    system = made.system()
    safe, report = suppress(made, spec=SuppressionSpec(decoys=0.5))
    decoys = np.flatnonzero(report.cells.status == DECOY)
    x = system.counts[decoys]
    assert len(decoys) > 5
    assert np.all((x == 0) | ((x >= 5) & (x < 10)))
    assert np.all(safe.markers[decoys] == SUPPRESSED)
    lo, hi = intervals(system, safe, decoys)
    assert np.all(lo <= np.maximum(x - 5, 0)) and np.all(hi >= 5)
    none, report = suppress(made, spec=SuppressionSpec(decoys=0.0))
    assert not (report.cells.status == DECOY).any()
    assert (none.markers == SUPPRESSED).sum() < (safe.markers == SUPPRESSED).sum()


def test_choices_are_kept():
    """Cells to hide are hidden and protected, cells to show are shown, structural zeros are told as such and known."""
    made = cube(8, mean=6.0)
    system = made.system()
    big = np.argsort(system.counts)[-30:]
    hide, show = np.zeros(len(system), np.bool_), np.zeros(len(system), np.bool_)
    hide[big[0]] = True
    show[big[-3:]] = True
    structural = (system.counts == 0) & (np.arange(len(system)) % 2 == 0)
    safe, report = suppress(made, choices=CellChoices(hide=hide, show=show, structural=structural))
    assert report.cells.status[big[0]] == FORCED and safe.markers[big[0]] == SUPPRESSED
    lo, hi = intervals(system, safe, big[:1])
    assert lo[0] <= system.counts[big[0]] - 5 and hi[0] >= system.counts[big[0]] + 5
    assert np.all(safe.markers[show] == SHOWN)
    assert np.all(safe.markers[structural] == STRUCTURAL)
    with pytest.raises(Infeasible, match="must be hidden and must be shown"):
        suppress(made, choices=CellChoices(hide=hide, show=hide))
    with pytest.raises(ValueError, match="structural zeros must hold 0"):
        suppress(made, choices=CellChoices(structural=hide))
    with pytest.raises(ValueError, match="bool, one per cell"):
        suppress(made, choices=CellChoices(hide=hide[1:]))


def test_what_a_reader_knows_beforehand_counts():
    """Bounds from elsewhere: each interval covers what is asked within them, and more is hidden for it."""
    made = cube(8, mean=10.0)
    system = made.system()
    known = np.maximum(system.counts - 6, 0), system.counts + 6
    safe, report = suppress(made, known=known, spec=SuppressionSpec(decoys=0.0))
    hidden = safe.markers == SUPPRESSED
    primary = np.flatnonzero(report.cells.primary)
    demands = Demands.of(primary, lower=system.counts[primary], upper=5 - system.counts[primary])
    assert attacked_demands(system, demands, hidden, room_of(system, *known), whole=True).all()
    free, _ = suppress(made, spec=SuppressionSpec(decoys=0.0))
    assert hidden.sum() >= (free.markers == SUPPRESSED).sum()


def test_protection_levels_may_be_given():
    made = cube(2, mean=9.0)
    system = made.system()
    wide = np.minimum(system.counts, 8), np.full(len(system), 8)
    safe, report = suppress(made, protection=wide, spec=SuppressionSpec(decoys=0.0))
    primary = np.flatnonzero(report.cells.primary)
    lo, hi = intervals(system, safe, primary)
    assert np.all(lo == 0) and np.all(hi >= system.counts[primary] + 8)


def test_prices_and_what_must_be_shown():
    """Upper levels and totals are dear; levels, totals of a level and zeros can be kept; names that are not there are refused."""
    made = cube(4, mean=7.0)
    system = made.system()
    names = [system.name(cell) for cell in range(len(system))]
    totals = np.array([name.startswith("lsoa") and name.endswith("Total, Total") for name in names])
    upper = np.array([name.startswith("lad") for name in names])
    safe, _ = suppress(made, spec=SuppressionSpec(show_totals=("lsoa",), show_levels=("lad",)))
    assert not (safe.markers[totals | upper] == SUPPRESSED).any()
    zero = system.counts == 0
    safe, _ = suppress(made, spec=SuppressionSpec(hide_zeros=False))
    assert np.all(safe.markers[zero] == SHOWN)

    def shares(**options):
        safe, _ = suppress(made, spec=SuppressionSpec(decoys=0.0, lone_claimants=False, **options))
        hidden = safe.markers == SUPPRESSED
        return hidden[[", f" in name for name in names]].sum(), hidden[upper].sum()

    dear = shares(category_factors={(age, "f"): 50.0 for age in ("o", "m", "y", TOTAL)})
    assert dear[0] <= shares()[0]
    assert shares(level_factors={"lad": 50.0})[1] <= shares(level_factors={"lad": 0.02})[1]
    for wrong in ({"show_levels": ("county",)}, {"category_factors": {("o", "x"): 2.0}}):
        with pytest.raises(ValueError, match="the cube has"):
            suppress(made, spec=SuppressionSpec(**wrong))


def test_losses_are_told_level_by_level():
    made = cube(6)
    system = made.system()
    safe, report = suppress(made, spec=SuppressionSpec(max_share=0.3))
    hidden = safe.markers == SUPPRESSED
    assert [loss.level for loss in report.losses] == ["oa", "lsoa", "lad"]
    for loss in report.losses:
        here = np.array([system.name(cell).startswith(loss.level + " ") for cell in range(len(system))])
        assert loss.cells == here.sum() and loss.hidden == (here & hidden).sum()
        assert loss.sum_primary == system.counts[here & report.cells.primary].sum()
        assert (loss.level in report.above_share) == (loss.share > 0.3)
    assert report.above_share
    told = report.cells.figures
    assert told["primary cells"] == report.cells.primary.sum()
    assert told["demands"] == told["demands proven"]


def test_advice_names_what_passes():
    """Fewer levels, then fewer margins, each with the worst level's share; the last of a kind tried passes or nothing does."""
    made = cube(6, mean=6.0)
    advice = advise_cube(
        made,
        flag=lambda smaller: flagged(smaller.system()),
        spec=SuppressionSpec(show_totals=("oa",)),
        key=KEY,
        pattern=BOXES,
    )
    assert advice[0].leaving_out == ("oa",)
    levels = [one for one in advice if one.leaving_out]
    assert not any(one.passes for one in levels[:-1]) and levels[-1].passes
    assert "leaving out oa" in levels[0].sentence()
    margins = [one for one in advice if one.margins]
    assert margins[0].margins == (("age", "sex"), ("age",), ("sex",), ()) or margins[0].margins[0] == ("age", "sex")
    assert "publishing only age × sex" in margins[0].sentence() and "the grand total" in margins[0].sentence()
    network = replace(made, margins=finest_and_total(made.axes))
    assert not [
        one
        for one in advise_cube(network, flag=lambda smaller: flagged(smaller.system()), spec=SuppressionSpec(), key=KEY)
        if len(one.margins) > 2
    ]


def test_the_key_decides_and_the_order_of_axes_does_not():
    made = cube(9, mean=5.0)
    axes = made.axes[0], made.axes[2], made.axes[1]
    turned = Cube(axes=axes, finest=np.ascontiguousarray(made.finest.swapaxes(1, 2)), margins=made.margins)

    def pattern(cube, key):
        system = cube.system()
        safe, _ = suppress(cube, key=key)
        names = [system.name(cell).split(", ") for cell in np.flatnonzero(safe.markers == SUPPRESSED)]
        order = [1, 2] if cube is made else [2, 1]
        return {(name[0], *(name[k] for k in order)) for name in names}

    assert pattern(made, KEY) == pattern(made, KEY) == pattern(turned, KEY)
    assert len({frozenset(pattern(made, b"key %029d" % number)) for number in range(3)}) > 1


def test_claims_are_who_stands_alone_where():
    """The only claimant of an area stands alone in its cells and totals; a cell that holds two is nobody's."""
    axes = nest("oa<lad", [0, 0]), flat_axis("age", ["o", "y"]), flat_axis("sex", ["f", "m"])
    made = Cube(axes=axes, finest=np.array([[[1, 0], [0, 0]], [[0, 2], [1, 9]]]), margins=all_margins(axes))
    system = made.system()
    claims = Claims.of(system)
    names = [system.name(cell) for cell in range(len(system))]
    told = [
        sorted(names[cell] for cell in claims.known[a:b])
        for a, b in zip(claims.first[:-1], claims.first[1:], strict=True)
    ]
    first = {"oa oa0, o, f", "oa oa0, o, Total", "oa oa0, Total, f", "oa oa0, Total, Total", "lad lad0, o, f"}
    assert sorted(told) == sorted([sorted(first), ["lad lad0, y, f", "oa oa1, Total, f", "oa oa1, y, f"]])
