"""Differencing: unions of zones less zones of another division, found, added to the joint system and judged."""

import csv
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from difference_tools import audit_with_differences, drawn_zones, pieces_of, totals
from hypothesis import given, settings
from hypothesis import strategies as st
from test_joint_attack import exact, flat_tree, hidden, rounded, table_of

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import AREAS, join_pieces
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.attack.programmes import feasible_intervals
from sdc.differencing.differences import add_differences
from sdc.differencing.smallest import smallest_differences
from sdc.differencing.zones import zones_of
from sdc.rounding.random import RandomRounding, protect_random
from sdc.tables import NOT_PUBLISHED, Hierarchy

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

KEY = b"a key that is no secret, number 1.."
# Ward W1 is L1 and parts of L2 and L3; W2 the rest.
CITY = {"lsoa": ["L1", "L2", "L3", "L3", "L2"], "ward": ["W1", "W1", "W1", "W2", "W2"]}
PEOPLE = np.array([128, 2, 2, 90, 70])


def test_a_difference_is_proven_though_no_overlap_is() -> None:
    """Ward W1 (132) less LSOA L1 (128) leaves 4 people, of whom 0 to 4 live in either part: only the union is pinned."""
    pieces = pieces_of(CITY, PEOPLE)
    audit = audit_with_differences(pieces, {AREAS: Overlap.of(CITY)})
    (finding,) = audit.findings
    assert (finding.kind, finding.interval) == ("pinned", (4, 4))
    assert "(128)" in finding.witness and "ward W1 (132)" in finding.witness and "exactly 4" in finding.witness
    assert finding.cell.startswith("ward W1 less ")
    assert audit.figures["differences: pairs of lsoa and ward that overlap in part"] == 4
    assert audit.figures["differences: pairs of lsoa and ward that follow from exact totals"] == 0
    assert audit.figures["differences: fewest people that one can hold at most"] == 4


def test_without_differences_nobody_would_see_it() -> None:
    assert audit_with_differences(pieces_of(CITY, PEOPLE), {AREAS: Overlap.of(CITY)}, without=True).safe


def test_v10_geographic_differencing_of_two_nearly_equal_areas() -> None:
    """Handbook 5.2: an area by 2001 output areas, and by 1991 enumeration districts."""
    small = np.array([[50, 54], [128, 140], [39, 49]])
    large = np.array([[52, 55], [130, 140], [39, 49]])
    check_slivers(small, large, large - small)


@pytest.mark.real_areas
def test_worked_example_geographic_differencing() -> None:
    file = SHARED / "worked-examples" / "geographic-differencing.json"
    example = json.loads(file.read_text(encoding="utf-8"))
    rows = [[row[1:] for row in example[name]] for name in ("area_by_2001_oa", "area_by_1991_ed", "difference")]
    check_slivers(*(np.array(each) for each in rows))


def check_slivers(small: np.ndarray, large: np.ndarray, difference: np.ndarray) -> None:
    """Every positive cell of the sliver, and of its margin, is proven; the other zones hold hundreds."""
    divisions = {"oa": ["A", "B", "B"], "ed": ["A", "A", "B"]}
    counts = np.stack([small.ravel(), difference.ravel(), small.ravel() + 300])
    audit = audit_with_differences(pieces_of(divisions, counts), {AREAS: Overlap.of(divisions)})
    found = {(f.cell.split(", ")[1].split(" ")[0], f.interval) for f in audit.findings if f.kind == "pinned"}
    expected = {(f"b{at}", (n, n)) for at, n in enumerate(difference.ravel().tolist()) if n}
    assert found == expected and "exactly" in audit.findings[0].witness


def test_v11_recode_differencing() -> None:
    """Males under 20: 6, 20-39: 9; under 25: 7, 25-39: 8.  One is 20 to 24."""
    bands = {"first": ["under 20", "20-39", "20-39"], "second": ["under 25", "under 25", "25-39"]}
    tree = flat_tree("oa", ["A"])
    pieces = [
        piece_of_table(name, exact(table_of(tree, {"age": codes}, np.array([counts]))))
        for name, codes, counts in (("one", ["20-39", "under 20"], [9, 6]), ("two", ["25-39", "under 25"], [8, 7]))
    ]
    audit = audit_with_differences(pieces, {"age": Overlap.of(bands)})
    assert (1, 1) in {finding.interval for finding in audit.findings if finding.kind == "pinned"}


def test_v11_linking() -> None:
    """Of 22 who live and work in the area, another table says that 21 are men: one is a woman."""
    tree = flat_tree("oa", ["A"], top="none")
    by_sex = exact(table_of(tree, {"sex": ["female", "male"]}, np.array([[0, 21]])))
    markers = tuple(np.array([[NOT_PUBLISHED, 0, NOT_PUBLISHED]], np.int8) for _ in by_sex.values)
    values = tuple(np.where(m == 0, v, 0) for v, m in zip(by_sex.values, markers, strict=True))
    pieces = [
        piece_of_table("men", replace(by_sex, values=values, markers=markers)),
        piece_of_table("all", exact(table_of(tree, {}, np.array([22])))),
    ]
    audit = audit_with_differences(pieces, {})
    assert [finding.interval for finding in audit.findings if "female" in finding.cell] == [(1, 1)]


def test_a_hidden_zone_inside_is_part_of_the_difference() -> None:
    """Ward W1 (135) less L1 (128), with L4 hidden in it: 3 people in L4 and the sliver together, not 0 to 3 in the sliver."""
    divisions = {"lsoa": ["L1", "L4", "L2", "L2"], "ward": ["W1", "W1", "W1", "W2"]}
    pieces = pieces_of(divisions, np.array([128, 2, 1, 90]), publish=hidden)
    audit = audit_with_differences(pieces, {AREAS: Overlap.of(divisions)})
    assert any(f.interval == (3, 3) and f.cell.startswith("ward W1 less ") for f in audit.findings)


def test_levels_above_the_smallest_are_divisions_too() -> None:
    """MSOA M1 less ward W1 leaves four people in two LSOAs, whose own figures are not published."""
    tree = Hierarchy(
        levels=("lsoa", "msoa"),
        codes=(np.array(["L1", "L2", "L3", "L4", "L5"]), np.array(["M1", "M2"])),
        parents=(np.array([0, 0, 0, 1, 1], np.int32),),
    )
    atoms = {
        "lsoa": ["L1", "L2", "L2", "L3", "L4", "L4", "L5"],
        "ward": ["W1", "W1", "W2", "W2", "W2", "W3", "W3"],
    }
    counts = np.array([60, 70, 2, 2, 90, 50, 80])
    table = exact(table_of(tree, {}, np.array([60, 72, 2, 140, 80])))
    markers = (np.full((5, 1), NOT_PUBLISHED, np.int8), table.markers[1])
    lsoas = piece_of_table("lsoa", replace(table, values=(0 * table.values[0], table.values[1]), markers=markers))
    wards = pieces_of({"ward": atoms["ward"]}, counts)
    audit = audit_with_differences([lsoas, *wards], {AREAS: Overlap.of(atoms)})
    (finding,) = audit.findings
    assert finding.interval == (4, 4) and finding.cell.startswith("msoa M1 less ward W1")
    assert "msoa M1 (134)" in finding.witness and "ward W1 (130)" in finding.witness


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10_000), how=st.sampled_from(["exact", "hidden", "rounded"]))
def test_intervals_of_added_differences_equal_enumeration(seed: int, how: str) -> None:
    rng = np.random.default_rng(seed)
    divisions = {name: rng.integers(0, 3, 5).astype(np.str_) for name in ("lsoa", "ward")}
    counts = rng.integers(0, 4, 5)
    publish = {"exact": exact, "hidden": hidden, "rounded": rounded}[how]
    overlaps = {AREAS: Overlap.of(divisions)}
    pieces = pieces_of(divisions, counts, publish=publish)
    joint = join_pieces(pieces, overlaps=overlaps)
    grown, _ = add_differences(joint, pieces, min_count=5)
    new = np.arange(len(joint.system), len(grown.system))
    found = feasible_intervals(grown.system.equations, grown.lo, grown.hi, asked=new)
    worlds = np.array(list(itertools.product(range(8 if len(new) else 1), repeat=5)))
    fits = np.ones(len(worlds), np.bool_)
    for piece, codes in zip(pieces, divisions.values(), strict=True):
        own = np.unique(codes)
        world = np.stack([worlds[:, codes == code].sum(axis=1) for code in own] + [worlds.sum(axis=1)], axis=1)
        fits &= ((world >= piece.lo.ravel()) & (world <= piece.hi.ravel())).all(axis=1)
    for at, cell in enumerate(new.tolist()):
        held = np.zeros(5, np.int64)
        row = np.flatnonzero(grown.system.equations.cells == cell)
        equation = int(grown.system.equations.rows[row[0]])
        cells, signs = grown.system.equations.entries(equation)
        for other, sign in zip(cells.tolist(), signs.tolist(), strict=True):
            if other != cell:
                held += sign * atoms_of(grown, other, pieces, divisions)
        assert set(held.tolist()) <= {0, 1}
        values = worlds[fits] @ held
        low, high = int(found.lo[at]), int(found.hi[at])
        assert low == values.min()
        assert high == values.max() or values.max() >= 7


def test_sets_that_no_difference_catches_become_cells() -> None:
    """Totals in intervals: parts that cannot all be empty, though no union less another proves it, are added up."""
    added = 0
    for seed in (12948, 17792, 18554, 24090, 32334, 34198, 36034):
        rng = np.random.default_rng(seed)
        zones = drawn_zones(rng, most=6, atoms=14)
        sums = totals(zones, rng.choice([0, 0, 1, 2, 4, 9], len(zones.first)))
        lo = np.maximum(sums - rng.integers(0, 2, len(zones)), 0)
        hi = sums + rng.integers(0, 2, len(zones))
        divisions = {name: zones.codes[ends] for name, ends in zip("ab", (zones.first, zones.second), strict=True)}
        pieces = []
        for piece, part in zip(
            pieces_of(divisions, np.ones(len(zones.first), np.int64)),
            np.split(np.arange(len(zones)), [zones.sizes[0]]),
            strict=True,
        ):
            markers = np.append(piece.markers[:-1], NOT_PUBLISHED).reshape(piece.markers.shape)
            bounds = {name: np.append(own[part], end) for name, own, end in (("lo", lo, 0), ("hi", hi, NO_BOUND))}
            bounds = {name: own.reshape(piece.lo.shape) for name, own in bounds.items()}
            pieces.append(replace(piece, markers=markers, values=0 * piece.values, **bounds))
        overlaps = {AREAS: Overlap.of(divisions)}
        joint = join_pieces(pieces, overlaps=overlaps)
        grown, _ = add_differences(joint, pieces, min_count=5, width=4)
        new = np.arange(len(joint.system), len(grown.system))
        found = feasible_intervals(grown.system.equations, grown.lo, grown.hi, asked=new)
        assert (found.lo >= 1).all()
        added += sum("less" not in grown.system.name(cell) for cell in new.tolist())
    assert added >= 2


def atoms_of(joint, cell, pieces, divisions):
    """Which atoms a published cell of the joint system is made of."""
    for place, (_, codes) in zip(joint.places, divisions.items(), strict=True):
        own = np.unique(codes)
        for at, other in enumerate(place.ravel().tolist()[: len(own)]):
            if other == cell:
                return (codes == own[at]).astype(np.int64)
    raise AssertionError("a difference is made of zones")


def test_differences_known_to_be_large_are_not_added() -> None:
    """With the truth, only differences of 1 to min_count - 1 people count."""
    overlaps = {AREAS: Overlap.of(CITY)}
    pieces = []
    for name in CITY:
        codes = np.array(CITY[name])
        table = table_of(
            flat_tree(name, np.unique(codes)), {}, np.array([PEOPLE[codes == c].sum() for c in np.unique(codes)])
        )
        pieces.append(piece_of_table(name, exact(table), truth=table))
    joint = join_pieces(pieces, overlaps=overlaps)
    grown, told = add_differences(joint, pieces, min_count=5)
    assert grown.truth[len(joint.system) :].tolist() == [4]
    grown, told = add_differences(joint, pieces, min_count=4)
    assert (
        len(grown.system) == len(joint.system) and told.figures["differences: that hold somebody and may be small"] == 0
    )


def test_what_is_left_out_is_told() -> None:
    divisions = {"lsoa": np.repeat(np.arange(60), 2).astype(np.str_)}
    divisions["ward"] = ((np.arange(120) + 1) // 8).astype(np.str_)
    counts = np.where(np.arange(120) % 8 == 7, 2, 30)
    pieces = pieces_of(divisions, counts)
    overlaps = {AREAS: Overlap.of(divisions)}
    joint = join_pieces(pieces, overlaps=overlaps)
    grown, told = add_differences(joint, pieces, min_count=5, most_added=3)
    assert len(grown.system.equations) == len(joint.system.equations) + 3
    assert any("of those that hold somebody and may be small" in line for line in told.not_checked)


def test_rounding_leaves_no_set_that_is_proven_to_hold_somebody() -> None:
    """Two divisions rounded apart to multiples of min_count: no difference of theirs is worth a cell."""
    rng = np.random.default_rng(5)
    divisions = {"lsoa": np.repeat(np.arange(60), 2).astype(np.str_)}
    divisions["ward"] = (((np.arange(120) + 1) // 8) % 15).astype(np.str_)

    def at_random(table):
        return protect_random(table, spec=RandomRounding(base=5, min_count=5), key=KEY)[0]

    pieces = pieces_of(divisions, rng.integers(0, 9, 120), publish=at_random)
    joint = join_pieces(pieces, overlaps={AREAS: Overlap.of(divisions)})
    _, told = add_differences(joint, pieces, min_count=5)
    assert told.figures["differences: that hold somebody and may be small"] == 0 and not told.not_checked


def test_nested_areas_give_no_differences() -> None:
    divisions = {"lsoa": ["L1", "L2", "L3"], "ward": ["W1", "W1", "W2"]}
    pieces = pieces_of(divisions, np.array([3, 40, 50]))
    joint = join_pieces(pieces, overlaps={AREAS: Overlap.of(divisions)})
    grown, told = add_differences(joint, pieces, min_count=5)
    assert len(grown.system) == len(joint.system) and not told.findings


def rows_of(name: str) -> list[dict[str, str]]:
    with (SHARED / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.real_areas
def test_lsoas_and_wards_of_a_borough() -> None:
    """Households by size in the LSOAs and best-fit wards of Trafford: what is proven is what output areas say."""
    lsoa = {row["oa21cd"]: row["lsoa21cd"] for row in rows_of("trafford/lookup_oa21_lsoa21_msoa21_lad22_rgn22.csv")}
    homes: dict[str, dict[str, int]] = {}
    for row in rows_of("trafford/postcodes.csv"):
        if row["oa21cd_derived"] in lsoa:
            wards = homes.setdefault(row["oa21cd_derived"], {})
            wards[row["wd24cd"]] = wards.get(row["wd24cd"], 0) + 1
    ward = {area: max(sorted(wards), key=wards.__getitem__) for area, wards in homes.items()}
    areas = sorted(ward)
    sizes: dict[str, dict[str, int]] = {}
    for row in rows_of("trafford/census2021_household_size.csv"):
        if row["area_code"] in ward:
            sizes.setdefault(row["category"], {})[row["area_code"]] = int(row["value"])
    categories = [category for category in sorted(sizes) if not category.startswith("0")]
    counts = np.array([[sizes[category].get(area, 0) for category in categories] for area in areas])
    divisions = {"lsoa": np.array([lsoa[area] for area in areas]), "ward": np.array([ward[area] for area in areas])}
    overlap = Overlap.of(divisions)
    pieces = pieces_of(divisions, counts)
    audit = audit_with_differences(pieces, {AREAS: overlap})
    assert audit.figures["differences: pairs of lsoa and ward that overlap in part"] > 20
    # Every overlap of an LSOA and a ward that is proven to be small is what the output areas add up to.
    pairs = [f"{one} & {other}" for one, other in zip(*divisions.values(), strict=True)]
    own = {name: counts[np.array(pairs) == name].sum(axis=0) for name in set(pairs)}
    proven = 0
    for finding in audit.findings:
        if finding.kind == "pinned" and " less " not in finding.cell and " & " in finding.cell:
            name, category = finding.cell.split(" of area ")[-1].removesuffix(" (in no table)").split(", ")[:2]
            proven += 1
            lo, hi = finding.interval
            assert lo <= own[name][int(category.removeprefix("b").split(" ")[0])] <= hi
    assert proven or audit.figures["all: pinned"] == 0
    assert audit.figures["differences: that hold somebody and may be small"] > 5
    # The smallest difference around each overlap is the programme's own upper bound of it.
    zones = zones_of(overlap, "lsoa", "ward")
    column = counts[:, -1]
    sums = np.array(
        [
            column[divisions["lsoa" if at < zones.sizes[0] else "ward"] == code].sum()
            for at, code in enumerate(zones.codes)
        ]
    )
    smallest = smallest_differences(zones, sums, sums, below=8)
    pieces = pieces_of(divisions, column)
    joint = join_pieces(pieces, overlaps={AREAS: overlap})
    cells = {
        name.removeprefix("atom of area "): cell
        for cell, name in enumerate(map(joint.system.name, range(len(joint.system))))
    }
    asked = np.array([cells[f"{zones.codes[zones.first[e]]} & {zones.codes[zones.second[e]]}"] for e in smallest.edges])
    found = feasible_intervals(joint.system.equations, joint.lo, joint.hi, asked=asked)
    assert found.exact.all() and np.minimum(found.hi, 8).tolist() == smallest.most.tolist()
    assert 0 < (smallest.most < 8).sum() < len(asked)
