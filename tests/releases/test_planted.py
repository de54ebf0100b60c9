"""Disclosures planted in published files, one at a time: each is found by its kind, and what is clean raises none.

Every case is what an outsider would hold: files, and what ``--known`` says of them.  The areas
are four output areas in two LSOAs in one authority; wards cut the LSOAs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from releases.attack.deducing import AttackOptions, attack
from releases.outcome import Outcome

AREAS = "oa,lsoa,ward,lad\nA1,L1,W1,D\nA2,L1,W2,D\nA3,L2,W2,D\nA4,L2,W2,D\n"
ROWS = [("A1", 20, 15), ("A2", 10, 30), ("A3", 25, 5), ("A4", 5, 40)]
SUMS = {"L1": ("A1", "A2"), "L2": ("A3", "A4"), "D": ("A1", "A2", "A3", "A4")}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Files by name, what --known says, options, and the kinds of findings of which one must come."""

    files: dict[str, str]
    kinds: tuple[str, ...]
    known: str = ""
    options: dict[str, object] = field(default_factory=dict)


def table(change: Callable[[dict[tuple[str, str], object]], None] = lambda cells: None) -> str:
    """A table of two benefits that adds up, rounded to 5, with some cells changed."""
    cells: dict[tuple[str, str], object] = {}
    counts = {area: {"esa": a, "uc": b, "Total": a + b} for area, a, b in ROWS}
    for above, parts in SUMS.items():
        counts[above] = {k: sum(counts[part][k] for part in parts) for k in ("esa", "uc", "Total")}
    for area, row in counts.items():
        for benefit, value in row.items():
            cells[area, benefit] = value
    change(cells)
    lines = "".join(f"{area},{benefit},{value}\n" for (area, benefit), value in cells.items())
    return f"area,benefit,value\n{lines}"


def setting(**cells: object) -> str:
    """The table with cells named like ``A1_esa`` changed."""

    def change(held: dict[tuple[str, str], object]) -> None:
        for name, value in cells.items():
            area, benefit = name.split("_")
            held[area, benefit] = value

    return table(change)


def totals(*rows: tuple[str, object]) -> str:
    return "area,value\n" + "".join(f"{area},{value}\n" for area, value in rows)


def crossed(signs: dict[tuple[str, str], str]) -> str:
    """One area by sex and benefit with every margin, some cells under signs."""
    counts = {("f", "esa"): 3, ("f", "uc"): 20, ("m", "esa"): 12, ("m", "uc"): 30}
    for sexes, sex in (("f", "f"), ("m", "m"), ("fm", "Total")):
        counts |= {(sex, b): sum(counts[each, b] for each in sexes) for b in ("esa", "uc")}
        counts[sex, "Total"] = counts[sex, "esa"] + counts[sex, "uc"]
    rows = "".join(f"A1,{sex},{b},{signs.get((sex, b), value)}\n" for (sex, b), value in counts.items())
    return f"area,sex,benefit,value\n{rows}"


def low_beside_nobody() -> str:
    """Rounded apart: A1 has somebody on ESA, A2 and on UC A3 nobody."""
    sums = {"A1_Total": 15, "A2_Total": 30, "A3_Total": 25, "L1_esa": 0, "L1_Total": 45, "L2_uc": 40, "L2_Total": 70}
    return setting(A1_esa="[low]", A2_esa=0, A3_uc=0, D_esa=30, D_uc=85, D_Total=115, **sums)


# The sums around A3 where three of its people are on UC.
AROUND = {"A3_Total": 28, "L2_uc": 43, "L2_Total": 73, "D_uc": 88, "D_Total": 148}
ROUNDED = {"method": "controlled-rounding", "base": 5, "by": ("benefit",)}
EXACT = {"method": "exact", "by": ("benefit",)}
HIDDEN = {"method": "suppression", "by": ("benefit",)}
# A ptable that leaves most counts as they are.
PTABLE = "i,j,p,v\n0,0,1,0\n1,0,0.05,-1\n1,1,0.9,0\n1,2,0.05,1\n2,1,0.05,-1\n2,2,0.9,0\n2,3,0.05,1\n"
TWO = '[[file]]\npath = "one.csv"\n{one}\n[[file]]\npath = "two.csv"\n{two}\n'

PLANTED = {
    "a value that the base never gives": Case(
        files={"one.csv": setting(A1_esa=7)}, kinds=("contradiction",), options=ROUNDED
    ),
    "a total that its parts cannot make": Case(
        files={"one.csv": setting(L1_esa=130)}, kinds=("contradiction",), options=ROUNDED
    ),
    "totals rounded apart": Case(
        files={"one.csv": totals(("A1", 0), ("A2", 0), ("L1", 5))},
        kinds=("pinned", "too narrow"),
        options={"method": "conventional-rounding", "base": 5},
    ),
    "a small count shown": Case(
        files={"one.csv": setting(A3_uc=3, **AROUND)},
        kinds=("pinned",),
        options=EXACT,
    ),
    "one cell hidden in a row": Case(
        files={"one.csv": setting(A3_uc="c", **AROUND)},
        kinds=("pinned",),
        options=HIDDEN,
    ),
    "a marker that says 1 to 4": Case(
        files={"one.csv": setting(A3_uc="1 to 4", **AROUND)},
        kinds=("pinned",),
        options=HIDDEN,
    ),
    "a ward that cuts an LSOA": Case(
        files={"one.csv": totals(("L1", 130), ("L2", 55)), "two.csv": totals(("W1", 128), ("W2", 57))},
        kinds=("pinned",),
        known=TWO.format(one='nest = "lsoa"', two='nest = "ward"')
        + '[[overlap]]\ndimension = "area"\npath = "areas.csv"\ncolumns = ["lsoa", "ward"]\n',
        options={"method": "exact", "nests": ()},
    ),
    "another list of bands": Case(
        files={
            "one.csv": "area,age,value\nA1,under 20,36\nA1,20-39,49\n",
            "two.csv": "area,age,value\nA1,under 25,37\nA1,25-39,48\n",
        },
        kinds=("pinned",),
        options={"method": "exact", "by": ("age",)},
    ),
    "a margin of a crossing": Case(
        files={
            "one.csv": "area,benefit,sex,value\nA1,uc,f,50\n",
            "two.csv": "area,benefit,value\nA1,uc,52\n",
            "categories.csv": "dimension,category\nbenefit,uc\nsex,f\nsex,m\n",
        },
        kinds=("pinned",),
        known=TWO.format(one='by = ["benefit", "sex"]', two='by = ["benefit"]'),
        options={"method": "exact", "categories": "categories.csv"},
    ),
    "fewer people than claims of one benefit": Case(
        files={"one.csv": "area,benefit,value\nA1,esa,20\nA1,uc,40\n", "two.csv": totals(("A1", 25))},
        kinds=("contradiction",),
        known=TWO.format(one='population = "claims"\nby = ["benefit"]', two='population = "people"\nby = []')
        + '[[within]]\nparts = "claims"\nwhole = "people"\nby = "benefit"\n',
        options={"method": "controlled-rounding", "base": 5},
    ),
    "a revision by one person": Case(
        files={"one.csv": totals(("A1", 40), ("A2", 30)), "two.csv": totals(("A1", 41), ("A2", 30))},
        kinds=("revision",),
        known=TWO.format(one='date = "2026-05-31"\nedition = "1"', two='date = "2026-05-31"\nedition = "2"'),
        options={"method": "exact"},
    ),
    "one figure with two values": Case(
        files={"one.csv": setting(), "two.csv": totals(("A1", 40), ("A2", 40), ("A3", 30), ("A4", 45))},
        kinds=("two values", "contradiction"),
        known=TWO.format(one='by = ["benefit"]', two="by = []"),
        options={"method": "random-rounding", "base": 5},
    ),
    "percentages of few": Case(
        files={"one.csv": "area,benefit,value\nA1,esa,14.3\nA1,uc,85.7\n", "two.csv": totals(("A1", 7))},
        kinds=("pinned",),
        known=TWO.format(
            one='by = ["benefit"]\nkind = "percentages"\ndecimals = 1\ndenominator = "two.csv"', two="by = []"
        ),
        options={"method": "exact"},
    ),
    "noise of 1 that adds up": Case(
        files={"one.csv": "area,benefit,value\nA1,esa,2\nA1,uc,2\nA1,Total,6\n"},
        kinds=("pinned", "too narrow"),
        known='[[file]]\npath = "one.csv"\nnoise = 1\n',
        options={"method": "cell-key", "by": ("benefit",)},
    ),
    "a population that caps": Case(
        files={"one.csv": totals(("A1", 5), ("A2", 20)), "caps.csv": totals(("A1", 3), ("A2", 200))},
        kinds=("pinned",),
        known='[[file]]\npath = "one.csv"\n[[file.caps]]\npath = "caps.csv"\n',
        options={"method": "controlled-rounding", "base": 5},
    ),
    "a bound that somebody knows": Case(
        files={"one.csv": totals(("A1", 5), ("A2", 20))},
        kinds=("pinned",),
        known='[[file]]\npath = "one.csv"\n[[file.bounds]]\narea = "A1"\nlo = 2\nhi = 4\n',
        options={"method": "controlled-rounding", "base": 5},
    ),
    "all of a small group alike": Case(
        files={"one.csv": "area,benefit,value\nA1,esa,9\nA1,uc,0\nA1,Total,9\n"},
        kinds=("group",),
        options={**EXACT, "sensitive": ("benefit",)},
    ),
    "an exact total elsewhere": Case(
        files={
            "one.csv": totals(("A1", 0), ("A2", 5), ("L1", 5)),
            "public.csv": totals(("L1", 1)),
        },
        kinds=("pinned", "too narrow"),
        known='[[file]]\npath = "one.csv"\nmethod = "controlled-rounding"\nbase = 5\n'
        '[[file]]\npath = "public.csv"\nmethod = "exact"\n',
        options={"already_public": ("public.csv",)},
    ),
    "who came, who went": Case(
        files={
            "one.csv": totals(("A1", 40)),
            "two.csv": totals(("A1", 44)),
            "on.csv": totals(("A1", 6)),
            "off.csv": totals(("A1", "c")),
        },
        kinds=("pinned",),
        known="".join(f'[[file]]\npath = "{name}.csv"\nmeasure = "{name}"\n' for name in ("one", "two", "on", "off"))
        + '[[flow]]\nbefore = "one"\nafter = "two"\non = "on"\noff = "off"\n',
        options={"method": "suppression"},
    ),
    "a marker for primary and one for secondary": Case(
        files={"one.csv": setting(A3_esa="c2", A3_uc="c1", A4_esa="c2", A4_uc="c2", **AROUND)},
        kinds=("marker",),
        known='[[file]]\npath = "one.csv"\nmarkers = { c1 = "primary", c2 = "secondary" }\n',
        options=HIDDEN,
    ),
    "primary and secondary beside several margins": Case(
        files={"one.csv": crossed({("f", "esa"): "c1", ("f", "uc"): "c2", ("m", "esa"): "c2", ("m", "uc"): "c2"})},
        kinds=("marker",),
        known='[[file]]\npath = "one.csv"\nmarkers = { c1 = "primary", c2 = "secondary" }\n',
        options={"method": "suppression", "by": ("sex", "benefit"), "nests": ("oa",)},
    ),
    "markers that the truth tells apart": Case(
        files={
            "one.csv": "area,benefit,value\nA1,esa,c\nA1,uc,*\nA2,esa,c\nA2,uc,*\nA1,Total,22\nA2,Total,23\n",
            "counts.csv": "oa,lsoa,lad,benefit,count\nA1,L1,D,esa,2\nA1,L1,D,uc,20\nA2,L1,D,esa,3\nA2,L1,D,uc,20\n",
        },
        kinds=("marker",),
        options={**HIDDEN, "truth": "counts.csv"},
    ),
    "low beside nobody": Case(
        files={"one.csv": low_beside_nobody()},
        kinds=("marker",),
        options={"method": "conventional-rounding", "base": 5, "by": ("benefit",)},
    ),
    "a dash for nobody beside 0": Case(
        files={"one.csv": totals(("A1", 0), ("A2", "-"), ("A3", 20))},
        kinds=("marker",),
        known='[[file]]\npath = "one.csv"\nmarkers = { "-" = "zero" }\n',
        options={"method": "conventional-rounding", "base": 5},
    ),
    "a range that one sum settles": Case(
        files={"one.csv": totals(("A1", "fewer than 5"), ("A2", "fewer than 5"), ("L1", 8))},
        kinds=("marker",),
        options=HIDDEN | {"by": ()},
    ),
    "a mark that a profile explains": Case(
        files={"one.csv": totals(("A1", "~"), ("A2", 20))},
        kinds=("marker",),
        options={"method": "conventional-rounding", "base": 5, "profile": "mod-5"},
    ),
    "minimum distance by rule": Case(
        files={"one.csv": "area,benefit,value\nD,esa,0\nD,uc,0\nD,Total,0\n"},
        kinds=("run backwards",),
        known='[[file]]\npath = "one.csv"\naim = "minimum-distance"\nshare = 0\n',
        options={**ROUNDED, "nests": ("lad",)},
    ),
    "small counts by rule": Case(
        files={"one.csv": totals(("A3", 0), ("A4", 5), ("L2", 5))},
        kinds=("run backwards",),
        known='[[file]]\npath = "one.csv"\nnest = "oa<lsoa"\nareas = "half.csv"\nshare = 0\n'
        '[[file.bounds]]\narea = "A4"\nlo = 1\n',
        options={"method": "small-count-rounding", "base": 5},
    ),
    "noise that the ptable takes off": Case(
        files={
            "one.csv": "area,benefit,value\nA1,esa,1\nA1,uc,1\nA1,Total,2\nA2,esa,1\nA2,uc,1\nA2,Total,2\n",
            "ptable.csv": PTABLE,
        },
        kinds=("too certain",),
        known='[[file]]\npath = "one.csv"\nptable = "ptable.csv"\nmax_certainty = 0.6\n',
        options={"method": "cell-key", "by": ("benefit",)},
    ),
    "a neighbour who knows two friends": Case(
        files={"one.csv": "area,benefit,value\nA1,esa,c\nA1,uc,c\nA1,Total,7\n"},
        kinds=("learned by an insider",),
        known='[[file]]\npath = "one.csv"\n[[file.insider]]\narea = "A1"\ncategory = { benefit = "uc" }\nnumber = 7\n',
        options=HIDDEN,
    ),
    "a group that two tables expose": Case(
        files={
            "one.csv": "area,benefit,value\nA1,esa,c\nA1,uc,c\nA1,Total,8\n",
            "two.csv": "area,benefit,value\nL1,esa,30\nL1,uc,20\nA2,esa,30\nA2,uc,12\n",
        },
        kinds=("group",),
        known=TWO.format(one='by = ["benefit"]', two='by = ["benefit"]'),
        options={"method": "suppression", "sensitive": ("benefit",)},
    ),
}

CLEAN = {
    "rounded together": Case(files={"one.csv": table()}, kinds=(), options=ROUNDED),
    "rounded, told by two geographies": Case(
        files={"one.csv": table(), "two.csv": "area,benefit,value\nW1,esa,20\nW1,uc,15\nW2,esa,40\nW2,uc,75\n"},
        kinds=(),
        known=TWO.format(one='nest = "oa<lsoa<lad"', two='nest = "oa<ward"'),
        options=ROUNDED,
    ),
    "exact and large": Case(files={"one.csv": table()}, kinds=(), options=EXACT),
    "zeros and low alike": Case(
        files={"one.csv": setting(A1_esa="low", A1_Total=15, L1_esa=10, L1_Total=55, D_esa=40, D_Total=130)},
        kinds=(),
        options=ROUNDED,
    ),
    "hidden with one marker": Case(
        files={"one.csv": setting(A1_esa="c", A1_uc="c", A3_esa="c", A3_uc="c")}, kinds=(), options=HIDDEN
    ),
    "minimum distance with a share by chance": Case(
        files={"one.csv": "area,benefit,value\nD,esa,0\nD,uc,0\nD,Total,0\n"},
        kinds=(),
        known='[[file]]\npath = "one.csv"\naim = "minimum-distance"\nshare = 0.25\n',
        options={**ROUNDED, "nests": ("lad",)},
    ),
    "an insider of rounded figures": Case(
        files={"one.csv": table()},
        kinds=(),
        known='[[file]]\npath = "one.csv"\n[file.insider]\narea = "A1"\ncategory = { benefit = "uc" }\n',
        options=ROUNDED,
    ),
}


def run(case: Case, folder: Path) -> Outcome:
    (folder / "areas.csv").write_text(AREAS)
    (folder / "half.csv").write_text("oa,lsoa\nA3,L2\nA4,L2\n")
    for name, text in case.files.items():
        (folder / name).write_text(text)
    options: dict[str, object] = {"nests": ("oa<lsoa<lad",), "areas": folder / "areas.csv", **case.options}
    if "categories" in options:
        options["categories"] = folder / str(options["categories"])
    if "truth" in options:
        options["truth"] = folder / str(options["truth"])
    besides = {"categories.csv", "caps.csv", "counts.csv", "ptable.csv", *map(str, options.get("already_public", ()))}  # type: ignore[call-overload]
    options["already_public"] = tuple(folder / str(name) for name in options.get("already_public", ()))  # type: ignore[attr-defined]
    if not options["nests"]:
        options["areas"] = None
        known = case.known.replace("nest = ", 'areas = "areas.csv"\nnest = ')
    else:
        known = case.known
    if known:
        (folder / "known.toml").write_text(known)
        options["known"] = folder / "known.toml"
    files = tuple(folder / name for name in case.files if name not in besides)
    return attack(AttackOptions(files=files, min_count=5, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PLANTED)
def test_every_planted_disclosure_is_found(name: str, tmp_path: Path) -> None:
    outcome = run(PLANTED[name], tmp_path)
    assert outcome.audit is not None and not outcome.audit.safe
    found = {finding.kind for finding in outcome.audit.findings}
    assert found & set(PLANTED[name].kinds), found
    assert all(finding.witness for finding in outcome.audit.findings)
    assert outcome.mends


# What one marker does not mend by itself: conventional rounding, whose 0 says 0 to 2.
TOO_NEAR = ("low beside nobody", "a dash for nobody beside 0")


@pytest.mark.parametrize("name", [name for name, case in PLANTED.items() if case.kinds == ("marker",)])
def test_what_markers_give_away_is_mended_by_one_marker(name: str, tmp_path: Path) -> None:
    """Without a figure lost; or with cells hidden besides, where the method says too much whatever the marker."""
    mends = {mend.kind: mend for mend in run(PLANTED[name], tmp_path).mends}
    alone, hiding = mends["one marker"], mends["hide cells"]
    assert (alone.passes, hiding.passes) == ((False, True) if name in TOO_NEAR else (True, False))
    assert all(one.hidden == 0 for one in alone.loss)
    assert "one marker for all cells without a number" in hiding.sentence
    assert all("shown as" in what for what in alone.what)


def test_one_marker_does_not_take_back_what_others_know(tmp_path: Path) -> None:
    """Two that add up to 8: whoever knows from elsewhere that neither is more than 4 has both without their signs."""
    case = PLANTED["a range that one sum settles"]
    caps = {"one.csv": totals(("A1", "fewer than 5"), ("A2", "1 to 4"), ("L1", 8))}
    caps |= {"caps.csv": totals(("A1", 4), ("A2", 4))}
    known = '[[file]]\npath = "one.csv"\n[[file.caps]]\npath = "caps.csv"\n'
    outcome = run(Case(files=case.files | caps, kinds=case.kinds, known=known, options=case.options), tmp_path)
    mends = {mend.kind: mend for mend in outcome.mends}
    assert not mends["one marker"].passes and mends["hide cells"].passes


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_clean_raises_nothing(name: str, tmp_path: Path) -> None:
    outcome = run(CLEAN[name], tmp_path)
    assert outcome.audit is not None and outcome.audit.safe, outcome.audit.findings
