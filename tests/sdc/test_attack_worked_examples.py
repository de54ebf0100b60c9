"""Published worked examples under attack: what a reader of each can prove is the known answer."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attack_tools import flat, shown, tree, true_table
from test_joint_attack import exact, flat_tree, table_of

from sdc.attack.intervals import stated_intervals
from sdc.attack.joint import AREAS
from sdc.attack.judge import audit_tables
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import piece_of_table
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.cube import Axis, Cube, all_margins, flat_axis
from sdc.findings import Audit
from sdc.system import SafeCells
from sdc.tables import SHOWN, SUPPRESSED, Hierarchy, Method, SafeTable

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "worked-examples"
pytestmark = pytest.mark.real_areas

EXACT = Method(name="suppression", base=1, min_count=5)
# A promise that no interval keeps: every cell that may be as small is told, with its interval.
EVERY = 200


def told(name: str) -> dict[str, Any]:
    return dict(json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")))


def intervals(audit: Audit) -> dict[str, tuple[int, int | None] | None]:
    """The interval of every figure that was found, by its name."""
    return {finding.cell: finding.interval for finding in audit.findings}


def hidden_table(rows: list[list[int | None]], totals: list[int]) -> SafeTable:
    """Areas by two categories and total, None where hidden; `totals` is the row above them."""
    values = (np.array([[each or 0 for each in row] for row in rows]), np.array([totals]))
    markers = [[SHOWN if each is not None else SUPPRESSED for each in row] for row in rows]
    table = true_table(tree([0] * len(rows)), np.zeros((len(rows), 2)))
    return shown(table, values, EXACT, (markers, [[SHOWN] * 3]))


def test_feasibility_interval_geurts() -> None:
    """A square of four hidden cells, seen by a reader who has no true table."""
    example = told("feasibility-interval-geurts")
    value = {(cell["row"], cell["col"]): cell["value"] for cell in example["cells"]}
    rows = [[value[row, column] for column in ("1", "2", "Total")] for row in ("1", "2", "3")]
    safe = hidden_table(rows, [value["Total", column] for column in ("1", "2", "Total")])
    found = intervals(audit_tables({"t": safe}, min_count=EVERY))
    for row in (1, 2):
        for column in (1, 2):
            lo, hi = example["derived_by_linear_programming"][f"({row},{column})"]
            assert found[f"oa OA{row - 1:06}, benefit=k{column - 1}"] == (lo, hi)
    assert found["oa OA000000, benefit=k0"] == tuple(example["published"]["(1,1)"])


def test_region_by_gender_single_primary() -> None:
    """One small count, hidden with three others: none of the four is less hidden than was derived."""
    example = told("region-by-gender-single-primary")
    value = {(cell["region"], cell["gender"]): cell["value"] for cell in example["cells"]}
    regions, genders = ["A", "B", "C", "D"], ["male", "female", "total"]
    for pattern in ("optimal_hypercube_hitas_and_simple_heuristic", "gauss_method_pattern"):
        hidden = {(cell["region"], cell["gender"]) for cell in example["expected"][pattern]}
        rows = [[None if (r, g) in hidden else value[r, g] for g in genders] for r in regions]
        safe = hidden_table(rows, [value["total", g] for g in genders])
        found = intervals(audit_tables({"t": safe}, min_count=EVERY))
        # Women in A, the only small count: from 0 to as many as there are in the other region or in A.
        most = min(value["A", "total"], sum(value[cell] for cell in hidden if cell[1] == "female"))
        assert found["oa OA000000, benefit=k1"] == (0, most)
        if pattern.startswith("optimal"):
            for name, ends in example["derived_by_linear_programming"].items():
                region, gender = name.strip("()").split(",")
                cell = f"oa OA{regions.index(region):06}, benefit=k{genders.index(gender)}"
                assert found[cell] == tuple(ends)
        assert not any(f.kind == "pinned" for f in audit_tables({"t": safe}, min_count=5).findings)


def test_linked_tables_county_and_size() -> None:
    """Each table is safe alone; both give region K away, unless region N is hidden too."""
    example = told("linked-tables-county-and-size")
    inner = sorted(example["inner"], key=lambda row: row["region"])
    regions = [row["region"] for row in inner]
    counts = np.array([row["freq"] for row in inner], np.int64)

    def table(group: str, hidden: list[str]) -> Target:
        codes = sorted({row[group] for row in inner})
        hierarchy = Hierarchy(
            levels=("region", group, "all"),
            codes=(np.array(regions), np.array(codes), np.array(["Total"])),
            parents=(
                np.array([codes.index(row[group]) for row in inner], np.int32),
                np.zeros(len(codes), np.int32),
            ),
        )
        true = table_of(hierarchy, {}, counts)
        published = example["published_totals"]
        assert dict(zip(codes, true.counts[1][:, 0].tolist(), strict=True)).items() <= published.items()
        markers = [np.zeros_like(each) for each in true.counts]
        markers[0][:, 0] = np.isin(regions, hidden) * SUPPRESSED
        values = [np.where(m == SUPPRESSED, 0, x) for m, x in zip(markers, true.counts, strict=True)]
        safe = shown(true, values, EXACT, markers)
        return Target(piece=piece_of_table(group, safe), table=safe)

    def pinned(*targets: Target) -> dict[str, object]:
        found = audit_together(targets, min_count=5).findings
        return {finding.cell.split(": ")[-1]: finding.interval for finding in found if finding.kind == "pinned"}

    primary = example["expected"]["primary_cells"]
    for group in ("county", "group"):
        assert not pinned(table(group, primary))
    assert pinned(table("county", primary), table("group", primary))["region K"] == (3, 3), example["why"]
    more = [*primary, example["expected"]["secondary_cell"].split(" ")[0]]
    assert not pinned(table("county", more), table("group", more))


def test_geographic_differencing() -> None:
    """Two areas that differ by a sliver, published by hours and sex: each count in the sliver is found, exactly."""
    example = told("geographic-differencing")
    small, large, sliver = (
        np.array([row[1:] for row in example[name]]).ravel()
        for name in ("area_by_2001_oa", "area_by_1991_ed", "difference")
    )
    divisions = {"oa": ["A", "B", "B"], "ed": ["A", "A", "B"]}
    atoms = np.stack([small, large - small, small + 300])
    targets = []
    for level, codes in divisions.items():
        own = np.array(codes)
        finest = np.stack([atoms[own == code].sum(axis=0) for code in ("A", "B")])
        categories = [f"{hours} {sex}" for hours in range(3) for sex in "mf"]
        assert categories == sorted(categories, key=lambda name: (name[0], -ord(name[-1])))
        order = np.argsort(categories)
        safe = exact(table_of(flat_tree(level, ["A", "B"]), {"who": categories}, finest[:, order]))
        targets.append(Target(piece=piece_of_table(level, safe), table=safe))
    audit = audit_together(targets, min_count=5, overlaps={AREAS: Overlap.of(divisions)})
    found = {
        f.cell.split(", ")[1].removesuffix(" (in no table)"): f.interval for f in audit.findings if f.kind == "pinned"
    }
    names = [f"{hours} {sex}" for hours in range(3) for sex in "mf"]
    expected = {name: (n, n) for name, n in zip(names, sliver.tolist(), strict=True) if n}
    assert found == expected


def lone(value: int, method: Method) -> SafeTable:
    return SafeTable(
        hierarchy=Hierarchy(levels=("oa",), codes=(np.array(["A"]),), parents=()),
        classification=flat(0),
        values=(np.array([[value]]),),
        method=method,
    )


def test_rounding_existence_intervals() -> None:
    """A rounded value by itself, with and without steps; and which values a count could have been given."""
    example = told("rounding-existence-intervals")
    for case in example["cases"]:
        method = Method(name="controlled-rounding", base=case["base"], min_count=5, steps=case["steps"])
        found = intervals(audit_tables({"t": lone(case["rounded"], method)}, min_count=EVERY))
        assert list(found.values()) == [tuple(case["interval"])]
    for case in example["candidates"]:
        method = Method(name="controlled-rounding", base=case["base"], min_count=5, steps=case["steps"])
        holding = []
        for value in range(0, 60, case["base"]):
            bounds = stated_intervals(lone(value, method))
            if bounds.lo[0].item() <= case["value"] <= bounds.hi[0].item():
                holding.append(value)
        assert holding == case["candidates"]


def test_random_rounding_base_3() -> None:
    """What a value leaves are the counts of which it is an outcome, no other."""
    example = told("random-rounding-base-3")
    base, outcomes = example["base"], {int(x): set(map(int, own)) for x, own in example["outcomes"].items()}
    method = Method(name="random-rounding", base=base, min_count=3)
    for value in (0, base):
        ((lo, hi),) = intervals(audit_tables({"t": lone(value, method)}, min_count=EVERY)).values()  # type: ignore[misc]
        assert list(range(lo, hi + 1)) == [x for x, own in outcomes.items() if value in own]  # type: ignore[operator]


def test_tauargus_size_by_region() -> None:
    """Amounts to the cent, 21 cells hidden, under attack: the bounds are those derived by linear programming.

    Amounts are taken as whole numbers of cents; so are counts.
    """
    example = told("tauargus-size-by-region")
    with (EXAMPLES / example["table"]).open(encoding="utf-8", newline="") as file:
        rows = {(row["region"], row["size"]): row for row in csv.DictReader(file)}
    groups = example["hierarchy"]["region"]
    parts = sorted(part for group in groups["Total"] for part in groups[group])
    names = sorted(groups["Total"])
    parents = [next(at for at, name in enumerate(names) if part in groups[name]) for part in parts]
    regions = Hierarchy(
        levels=("part", "group", "all"),
        codes=(np.array(parts), np.array(names), np.array(["Total"])),
        parents=(np.array(parents, np.int32), np.zeros(len(names), np.int32)),
    )
    sizes = sorted(example["hierarchy"]["size"]["Total"])
    axes = (Axis(hierarchy=regions, total=False), flat_axis("size", sizes))
    cents = {place: round(100 * float(row["value"])) for place, row in rows.items()}
    finest = np.array([[cents[part, size] for size in sizes] for part in parts], np.int64)
    cube = Cube(axes=axes, finest=finest, margins=all_margins(axes))
    system = cube.system()
    places = [[axis.code(place)[1] for place in range(size)] for axis, size in zip(axes, cube.shape, strict=True)]
    at = [(region, size) for region in places[0] for size in places[1]]
    hidden = np.array([rows[place]["tau_status"] in ("unsafe", "secondary") for place in at])
    cells = SafeCells(
        values=np.where(hidden, 0, system.counts),
        markers=np.where(hidden, SUPPRESSED, SHOWN).astype(np.int8),
        method=EXACT,
    )
    published = PublishedCells(
        name="amounts",
        equations=system.equations,
        safe=cells,
        names=[f"{region} {size}" for region, size in at],
    )
    # Whatever is hidden is asked, and no interval is wide enough.
    found = intervals(audit_cells(published, min_count=1 << 34, judged=hidden))
    stored = {f"{each['region']} {each['size']}": each for each in example["bounds_by_linear_programming"]}
    assert set(found) == set(stored)
    for name, each in stored.items():
        ends = found[name]
        assert ends is not None and ends[1] is not None
        assert (ends[0] / 100, ends[1] / 100) == pytest.approx((each["lower"], each["upper"]), abs=1e-3)
