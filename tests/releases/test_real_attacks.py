"""Counts that others have published, attacked as an outsider would: what comes of it is worked out again by hand.

The counts are rounded to 5, or perturbed, at each level apart, so that sums do not add up.  Nothing is
known of the truth: what is tested is that the attack reads the files, that it says neither more nor less than
arithmetic allows, and that what it says can be followed.

Every check here shares no code with the attack.  A table by one dimension whose totals are not published is one
area tree for each category: narrowing parents and parts by each other once up and once down is exact.
"""

import csv
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from releases.attack.deducing import AttackOptions, attack
from sdc.findings import Audit, Finding

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRAFFORD, LONDON, CHANGE = DATA / "trafford", DATA / "london-two-boroughs", DATA / "lsoa-change-2011-2021"
TREE_2021 = TRAFFORD / "lookup_oa21_lsoa21_msoa21_lad22_rgn22.csv"
CENSUS = ("household_size", "household_composition", "economic_activity")
SMALL = 4
NO_BOUND = 1 << 40

pytestmark = [
    pytest.mark.real_areas,
    pytest.mark.slow,
]

Interval = tuple[int, int]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def attacked(files: list[Path], known: Path, **more: object) -> tuple[Audit, tuple[str, ...]]:
    options = AttackOptions(files=tuple(files), known=known, min_count=5, **more)  # type: ignore[arg-type]
    outcome = attack(options)
    assert outcome.audit is not None
    return outcome.audit, outcome.notices


def kinds(audit: Audit) -> set[str]:
    return {finding.kind for finding in audit.findings}


def number_of(audit: Audit, kind: str) -> int:
    """How many findings there are of a kind, those that are counted and not listed among them."""
    unlisted = sum(int(str(value)) for name, value in audit.figures.items() if name.endswith(f": {kind}, not listed"))
    return sum(finding.kind == kind for finding in audit.findings) + unlisted


# --- Intervals by hand ----------------------------------------------------------------------------


def rounded(value: int) -> Interval:
    """What a figure says that was rounded to the nearest 5."""
    return max(0, value - 2), value + 2


def noisy(value: int, bound: int) -> Interval:
    """What a figure says with noise of at most `bound`, where nobody is always shown as 0."""
    return (0, bound) if value == 0 else (max(1, value - bound), value + bound)


@dataclass
class Tree:
    """One category over an area tree: what is shown, what it says alone, and what all of it says."""

    shown: dict[str, int]
    alone: dict[str, Interval]
    parts: dict[str, list[str]]
    found: dict[str, Interval] = field(default_factory=dict)

    def narrow(self, order: list[str]) -> bool:
        """Up and down once, `order` being smallest areas first; whether some true counts fit."""
        self.found = dict(self.alone)
        for area in order:
            if area in self.parts:
                sums = tuple(sum(self.found[part][end] for part in self.parts[area]) for end in (0, 1))
                self.found[area] = (max(self.found[area][0], sums[0]), min(self.found[area][1], sums[1]))
        if any(lo > hi for lo, hi in self.found.values()):
            return False
        for area in reversed(order):
            lows = sum(self.found[part][0] for part in self.parts.get(area, ()))
            highs = sum(self.found[part][1] for part in self.parts.get(area, ()))
            for part in self.parts.get(area, ()):
                lo, hi = self.found[part]
                least, most = self.found[area][0] - (highs - hi), self.found[area][1] - (lows - lo)
                self.found[part] = (max(lo, least), min(hi, most))
        return all(lo <= hi for lo, hi in self.found.values())

    def below(self, area: str) -> frozenset[str]:
        """The smallest areas in an area."""
        if area not in self.parts:
            return frozenset([area])
        return frozenset().union(*(self.below(part) for part in self.parts[area]))


def census_trees(table: str, bound: int) -> tuple[dict[str, Tree], list[str]]:
    """The trees of a Census table, category by category, and the areas in order, smallest first."""
    parts: dict[str, list[str]] = defaultdict(list)
    levels: list[list[str]] = [[], [], [], []]
    for row in rows_of(TREE_2021):
        chain = [row[name] for name in ("oa21cd", "lsoa21cd", "msoa21cd", "lad22cd")]
        for level, (part, whole) in enumerate(pairwise(chain)):
            if part not in parts[whole]:
                parts[whole].append(part)
                levels[level].append(part)
    levels[3] = [chain[3]]
    order = [area for level in levels for area in level]
    shown: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows_of(TRAFFORD / f"census2021_{table}.csv"):
        shown[row["category"]][row["area_code"]] = int(row["value"])
    trees = {}
    for category, values in shown.items():
        alone = {area: noisy(values[area], bound) if area in values else (0, NO_BOUND) for area in order}
        trees[category] = Tree(shown=values, alone=alone, parts=dict(parts))
    return trees, order


# --- Witnesses by hand ----------------------------------------------------------------------------

CELL = re.compile(r"\w+ (E\d+), category=(.+?) \(shown (\d+), at (most|least) (\d+)\)")
ALONE = re.compile(r"shown (\d+), which alone says (\d+) to (\d+)")
SO = re.compile(r"so it is (\d+) to (\d+): ")


def place(finding: Finding) -> tuple[str, str]:
    area, _, category = finding.cell.partition(", category=")
    return area.split()[1], category


def check_witness(finding: Finding, trees: dict[str, Tree]) -> None:
    """Every figure of a witness is published, every bound follows, and the cells of its sum make up the cell."""
    area, category = place(finding)
    tree, witness = trees[category], finding.witness
    alone = ALONE.search(witness)
    assert alone is not None, witness
    assert int(alone[1]) == tree.shown[area] and (int(alone[2]), int(alone[3])) == tree.alone[area]
    lo, hi = tree.alone[area]
    for text, equals, side, end in re.findall(
        r"(by (?:a|\d+) published sums? it equals (.*?), so at (most|least) (\d+))(?:;|$)", witness
    ):
        named = [(m[1], m[2], int(m[3]), m[4], int(m[5])) for m in CELL.finditer(equals)]
        assert named, text
        for code, of, value, end_of, limit in named:
            assert of == category and tree.shown[code] == value
            # The bound of a named cell is its own, or what the areas in it say.
            at = 1 if end_of == "most" else 0
            assert limit == tree.alone[code][at] or limit == tree.found[code][at], text
        if side == "most":
            whole, others = named[0], named[1:]
            taken = [tree.below(code) for code, *_ in others]
            assert sum(map(len, taken)) == len(frozenset().union(*taken)), "cells that are taken away overlap"
            assert tree.below(area) | frozenset().union(*taken) <= tree.below(whole[0])
            assert not tree.below(area) & frozenset().union(*taken)
            assert int(end) == whole[4] - sum(limit for *_, limit in others)
            hi = min(hi, int(end))
        else:
            inside = [tree.below(code) for code, *_ in named]
            assert frozenset().union(*inside) <= tree.below(area) and sum(map(len, inside)) <= len(tree.below(area))
            assert int(end) == sum(limit for *_, limit in named)
            lo = max(lo, int(end))
    so = SO.search(witness)
    assert so is not None and (int(so[1]), int(so[2])) == (lo, hi) == finding.interval


# --- Census tables --------------------------------------------------------------------------------


def census_known(folder: Path, tables: tuple[str, ...], said: str) -> tuple[list[Path], Path]:
    columns = '[file.columns]\narea = "area_code"\n'
    text = "".join(
        f'[[file]]\npath = "{TRAFFORD}/census2021_{table}.csv"\nnest = "oa21cd<lsoa21cd<msoa21cd<lad22cd"\n'
        f'areas = "{TREE_2021}"\nby = ["category"]\n{said}\n{columns}[file.dimensions]\ncategory = "{name}"\n'
        for table in tables
        for name in ("category" if len(tables) == 1 else "household",)
    ).replace('[file.dimensions]\ncategory = "category"\n', "")
    (folder / "known.toml").write_text(text, encoding="utf-8")
    return [TRAFFORD / f"census2021_{table}.csv" for table in tables], folder / "known.toml"


def test_the_narrowing_by_hand_can_fail() -> None:
    parts = {"L": ["A", "B"]}
    tight = Tree(shown={}, alone={"A": (0, 2), "B": (0, 2), "L": (4, 9)}, parts=parts)
    assert tight.narrow(["A", "B", "L"]) and tight.found == {"A": (2, 2), "B": (2, 2), "L": (4, 4)}
    assert not Tree(shown={}, alone={"A": (0, 2), "B": (0, 2), "L": (5, 9)}, parts=parts).narrow(["A", "B", "L"])


@pytest.mark.parametrize("table", CENSUS)
@pytest.mark.parametrize("said", ['method = "exact"', 'method = "cell-key"\nnoise = 1'], ids=["exact", "noise of 1"])
def test_a_method_that_the_figures_contradict_is_told(table: str, said: str, tmp_path: Path) -> None:
    bound = 1 if "noise" in said else 0
    trees, order = census_trees(table, bound)
    if not bound:
        for tree in trees.values():
            tree.alone = {area: (v, v) if (v := tree.shown.get(area)) is not None else (0, NO_BOUND) for area in order}
    assert not all([tree.narrow(order) for tree in trees.values()])
    audit, _ = attacked(*census_known(tmp_path, (table,), said))
    assert not audit.safe and kinds(audit) == {"contradiction"}
    for finding in audit.findings:
        area, category = finding.cell.split(" ", 1)[1].split(", category=", 1)
        tree = trees[category]
        assert not tree.narrow([*order])
        lo, hi = tree.alone[area]
        sums = [sum(tree.alone[part][end] for part in tree.below(area)) for end in (0, 1)]
        added = re.search(
            r"(?:shown as|is) (\d+)(?:, its parts| by [a-z ]*, but [a-z ]*) add up to (\d+)", finding.witness
        )
        if added is not None:
            assert (lo, hi) == (int(added[1]),) * 2 and sums == [int(added[2])] * 2 and lo != sums[0]
            continue
        told = [int(number) for number in re.findall(r"between (\d+) and (\d+)", finding.witness)[-1]]
        assert told[0] >= sums[0] and told[1] <= sums[1] and (told[0] > hi or told[1] < lo)


@pytest.mark.parametrize(("table", "bound"), [(CENSUS[0], 2), (CENSUS[0], 5), (CENSUS[1], 3), (CENSUS[2], 4)])
def test_a_census_table_says_what_arithmetic_says(table: str, bound: int, tmp_path: Path) -> None:
    """Noise of 2 and more explains the tables; every number of cells pinned or too narrow is that by hand."""
    trees, order = census_trees(table, bound)
    assert all([tree.narrow(order) for tree in trees.values()])
    audit, _ = attacked(*census_known(tmp_path, (table,), f'method = "cell-key"\nnoise = {bound}'))
    assert not audit.safe and "contradiction" not in kinds(audit)
    found = {(area, category): tree.found[area] for category, tree in trees.items() for area in tree.shown}
    pinned = {cell for cell, (lo, hi) in found.items() if lo >= 1 and hi <= SMALL}
    narrow = {
        cell for cell, (lo, hi) in found.items() if lo <= SMALL and hi >= 1 and hi - lo < SMALL and cell not in pinned
    }
    assert (number_of(audit, "pinned"), number_of(audit, "too narrow")) == (len(pinned), len(narrow))
    checked = 0
    for finding in audit.findings:
        if finding.kind in ("pinned", "too narrow"):
            cell = place(finding)
            assert cell in (pinned if finding.kind == "pinned" else narrow) and finding.interval == found[cell]
            check_witness(finding, trees)
            checked += 1
    assert checked > 10


def test_one_person_households_of_two_tables_are_one_figure(tmp_path: Path) -> None:
    """Told so, either table narrows the other: households of one person are those of two kinds of composition.

    One LSOA alone.  By hand: the sum of the two kinds bounds the figure by size, and the other way round.
    """
    lsoa = "E01006074"
    ours = [row for row in rows_of(TREE_2021) if row["lsoa21cd"] == lsoa]
    tree = write(tmp_path / "tree.csv", ("oa", "lsoa"), [(row["oa21cd"], lsoa) for row in ours])
    files, known = census_known(tmp_path, CENSUS[:2], 'method = "cell-key"\nnoise = 2')
    text = known.read_text(encoding="utf-8").replace(str(TREE_2021), str(tree))
    text = text.replace("oa21cd<lsoa21cd<msoa21cd<lad22cd", "oa<lsoa")
    alone, kinds_of = (
        "1 person in household",
        [
            "One-person household: Aged 66 years and over",
            "One-person household: Other",
        ],
    )
    parts = ", ".join(f'"{one}"' for one in kinds_of)
    known.write_text(f'{text}\n[[recode]]\ndimension = "household"\n[recode.of]\n"{alone}" = [{parts}]\n', "utf-8")
    audit, _ = attacked(files, known)
    assert "contradiction" not in kinds(audit)
    shown = {
        (row["area_code"], row["category"]): int(row["value"])
        for table in CENSUS[:2]
        for row in rows_of(TRAFFORD / f"census2021_{table}.csv")
    }
    for row in ours:
        area = row["oa21cd"]
        sums = [sum(noisy(shown[area, kind], 2)[end] for kind in kinds_of) for end in (0, 1)]
        own = noisy(shown[area, alone], 2)
        assert max(own[0], sums[0]) <= min(own[1], sums[1])
    for finding in audit.findings:
        if finding.interval is None or finding.kind not in ("pinned", "too narrow"):
            continue
        code = re.search(r"E0\d+", finding.cell)
        category = finding.cell.rpartition(", ")[2].rpartition("household=")[2]
        for (area, name), value in shown.items():
            if code is not None and area == code[0] and finding.cell.endswith(name) and category:
                lo, hi = noisy(value, 2)
                least, most = finding.interval
                assert most is not None and lo <= least <= most <= hi


# --- Claimant counts ------------------------------------------------------------------------------


def claimants(folder: Path) -> tuple[list[Path], Path, dict[str, dict[str, int]]]:
    """Two months of LSOAs, and of wards with the borough, each a file; what is known of them; the figures by file."""
    lookup = rows_of(TRAFFORD / "lookup_oa11_lsoa11_msoa11_lad11_rgn11.csv")
    write(folder / "lsoas.csv", ("lsoa", "lad"), sorted({(row["lsoa11cd"], row["lad11cd"]) for row in lookup}))
    monthly = rows_of(TRAFFORD / "claimant_count_ward_lad_monthly.csv")
    wards = sorted({row["area_code"] for row in monthly if row["area_code"].startswith("E05")})
    write(folder / "wards.csv", ("ward", "lad"), [(ward, "E08000009") for ward in wards])
    figures: dict[str, dict[str, int]] = {}
    known = ""
    for month in ("2017-09", "2017-10"):
        by_lsoa = [row for row in rows_of(TRAFFORD / "claimants_lsoa11.csv") if row["period"] == month]
        figures[f"lsoa-{month}"] = {row["lsoa11cd"]: int(row["value"]) for row in by_lsoa}
        by_ward = [row for row in monthly if row["period"].startswith(month) and not row["area_code"].startswith("E47")]
        figures[f"ward-{month}"] = {row["area_code"]: int(float(row["value"])) for row in by_ward}
        # Wards as they are published, with .0 behind every count.
        write(folder / f"ward-{month}.csv", ("area", "value"), [(row["area_code"], row["value"]) for row in by_ward])
        write(folder / f"lsoa-{month}.csv", ("area", "value"), [*figures[f"lsoa-{month}"].items()])
        for level in ("lsoa", "ward"):
            known += (
                f'[[file]]\npath = "{level}-{month}.csv"\nnest = "{level}<lad"\nareas = "{level}s.csv"\n'
                f'method = "conventional-rounding"\nbase = 5\ndate = "{month}"\n'
            )
    (folder / "known.toml").write_text(known, encoding="utf-8")
    return [folder / f"{name}.csv" for name in figures], folder / "known.toml", figures


def test_claimant_counts_rounded_apart(tmp_path: Path) -> None:
    """LSOAs, wards and borough: sums add nothing; a published 0 stands for 0 to 2, which is narrow by itself."""
    files, known, figures = claimants(tmp_path)
    audit, notices = attacked(files, known)
    assert kinds(audit) == {"too narrow"} and any("noughts alone" in notice for notice in notices)
    zeros = {(name, area) for name, values in figures.items() for area, value in values.items() if value == 0}
    for month in ("2017-09", "2017-10"):
        lsoas, wards = figures[f"lsoa-{month}"], figures[f"ward-{month}"]
        borough = rounded(wards["E08000009"])
        for values in (lsoas, {area: value for area, value in wards.items() if area != "E08000009"}):
            lo, hi = (sum(rounded(value)[end] for value in values.values()) for end in (0, 1))
            borough = (max(borough[0], lo), min(borough[1], hi))
            spare = min(hi - borough[0], borough[1] - lo)
            # No cell is narrowed: all others together have more than its own width to spare.
            assert all(spare >= rounded(value)[1] - rounded(value)[0] for value in values.values())
    found = {
        (re.search(r"lsoa-2017-\d\d", f"{f.cell} {f.table}"), re.search(r"E01\d+", f.cell)) for f in audit.findings
    }
    assert {(a[0], b[0]) for a, b in found if a and b} == zeros and len(audit.findings) == len(zeros) == 13
    assert {finding.interval for finding in audit.findings} == {(0, 2)}


def test_claimant_counts_do_not_add_up_as_controlled_rounding_would(tmp_path: Path) -> None:
    """Said to be rounded together, they lose the theorem that trusts such tables: the audit names the condition."""
    files, known, figures = claimants(tmp_path)
    assert sum(figures["lsoa-2017-09"].values()) != figures["ward-2017-09"]["E08000009"]
    known.write_text(known.read_text("utf-8").replace("conventional", "controlled"), "utf-8")
    audit, _ = attacked(files, known)
    reasons = [str(value) for name, value in audit.figures.items() if name.endswith("the theorem does not hold")]
    assert any("sums are not fulfilled" in text or "add up" in text for text in reasons)


def test_the_command_tells_the_verdict_and_no_traceback(tmp_path: Path) -> None:
    files, known, _ = claimants(tmp_path)
    command = [sys.executable, "-c", "from releases.cli import main; main()", "attack", *map(str, files)]
    done = subprocess.run(
        [*command, "--known", str(known), "--min-count", "5", "--report", str(tmp_path / "report.html")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[0] == "Disclosures were found" and "Traceback" not in done.stderr
    assert "\r" not in done.stderr and "\x1b" not in done.stderr  # progress is for terminals
    assert "Not safe" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_populations_of_another_body_say_nothing_more(tmp_path: Path) -> None:
    """Claimants of two London boroughs, with populations that no count may pass: every one lies far below."""
    counts = {
        row["lsoa11cd"]: int(row["value"])
        for row in rows_of(LONDON / "claimants_lsoa11.csv")
        if row["period"] == "2019-03"
    }
    people = {
        row["lsoa11cd"]: int(row["population"])
        for row in rows_of(LONDON / "population_lsoa11.csv")
        if row["label_year"] == "2019"
    }
    lookup = rows_of(LONDON / "lookup_oa11_lsoa11_msoa11_lad21_rgn21.csv")
    nest = sorted({(row["LSOA11CD"], row["MSOA11CD"], row["LAD21CD"]) for row in lookup})
    write(tmp_path / "tree.csv", ("lsoa", "msoa", "lad"), nest)
    write(tmp_path / "claimants.csv", ("area", "value"), [*counts.items()])
    write(tmp_path / "people.csv", ("area", "value"), [*people.items()])
    text = '[[file]]\npath = "claimants.csv"\nnest = "lsoa<msoa<lad"\nareas = "tree.csv"\n'
    text += 'method = "conventional-rounding"\nbase = 5\n'
    known = tmp_path / "known.toml"
    known.write_text(text, "utf-8")
    without, _ = attacked([tmp_path / "claimants.csv"], known)
    known.write_text(f'{text}[[file.caps]]\npath = "people.csv"\n', "utf-8")
    capped, _ = attacked([tmp_path / "claimants.csv"], known)
    assert all(people[area] >= rounded(value)[1] for area, value in counts.items())
    assert capped.findings == without.findings
    assert {finding.interval for finding in capped.findings} <= {(0, 2)}
    assert number_of(capped, "too narrow") == sum(value == 0 for value in counts.values())


def test_areas_of_2011_and_2021_by_the_change_lookup(tmp_path: Path) -> None:
    """Published counts on LSOAs of 2011, and sums of them on LSOAs of 2021, rounded apart once more.

    The second table is made here: no body has published these counts on both.  An area that did not change is one
    figure; of one that was split, or merged, the sums are what the lookup says.
    """
    counts = {
        row["lsoa11cd"]: int(row["value"])
        for row in rows_of(LONDON / "claimants_lsoa11.csv")
        if row["period"] == "2019-03"
    }
    rows = [row for row in rows_of(CHANGE / "lsoa11_lsoa21_lad22.csv") if row["lsoa11cd"] in counts]
    whole = {row["lsoa21cd"] for row in rows if row["chgind"] in "UM"}
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["lsoa21cd"] in whole:
            sums[row["lsoa21cd"]] += counts[row["lsoa11cd"]]
    write(tmp_path / "old.csv", ("lsoa11",), [(area,) for area in sorted(counts)])
    write(tmp_path / "new.csv", ("lsoa21",), [(area,) for area in sorted({row["lsoa21cd"] for row in rows})])
    write(tmp_path / "change.csv", ("lsoa11", "lsoa21"), [(row["lsoa11cd"], row["lsoa21cd"]) for row in rows])
    write(tmp_path / "a.csv", ("area", "value"), [*counts.items()])
    # Of each area its sum less 1, to the nearest 5: what is told of a merged area is one more than it holds.
    write(
        tmp_path / "b.csv",
        ("area", "value"),
        [(area, (max(value - 1, 0) + 2) // 5 * 5) for area, value in sums.items()],
    )
    text = "".join(
        f'[[file]]\npath = "{name}.csv"\nnest = "{level}"\nareas = "{areas}.csv"\n'
        'method = "conventional-rounding"\nbase = 5\n'
        for name, level, areas in (("a", "lsoa11", "old"), ("b", "lsoa21", "new"))
    )
    text += '[[overlap]]\ndimension = "area"\npath = "change.csv"\ncolumns = ["lsoa11", "lsoa21"]\n'
    (tmp_path / "known.toml").write_text(text, "utf-8")
    audit, _ = attacked([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "known.toml")
    assert "contradiction" not in kinds(audit) and "two values" not in kinds(audit)
    assert len(whole) < len({row["lsoa21cd"] for row in rows})
    zeros = {area for area, value in counts.items() if value == 0}
    small = {code[0] for f in audit.findings if (code := re.search(r"E01\d+", f.cell)) is not None}
    assert zeros and zeros <= small
    for finding in audit.findings:
        code = re.search(r"E01\d+", finding.cell)
        if code is not None and code[0] in zeros and finding.kind in ("pinned", "too narrow"):
            assert finding.interval is not None and finding.interval[0] >= 0 and finding.interval[1] in (0, 1, 2)
