"""Disclosures planted in a whole release, one at a time: `publish` refuses each, and tells a mend that passes.

A release of claims by sex and by age on 24 output areas is rounded, and
then spoiled before it is attacked: in the tables themselves, or by what is named as already public.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_place import AREAS, change, copied, make_place

import releases.publish.drawing as drawing
from releases.outcome import Refused
from releases.publish.pipeline import publish
from releases.publish.protection import Protected
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable, Table

TABLES = [
    {"id": "sex", "title": "Claims by sex", "by": ["sex"]},
    {"id": "age", "title": "Claims by age", "by": ["age_band"], "bands": {"age_band": "broad"}},
]
KEY = b"another key of thirty-two bytes."

Tables = dict[str, SafeTable]
Truths = dict[str, Table]
# Files by name, and the entries that name them.
Public = tuple[dict[str, str], list[dict[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Plant:
    """What is spoiled, in the tables or in the release file, and the kinds of findings of which one must come."""

    kinds: tuple[str, ...]
    tables: Callable[[Tables, Truths], Tables] | None = None
    public: Callable[[Truths], Public] | None = None


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    release = make_place(tmp_path_factory.mktemp("planted"))
    return change(release, table=TABLES)


@pytest.fixture(scope="module")
def truths(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Truths:
    """The true tables behind the release, as it is published without a plant: a clean release raises nothing."""
    folder = tmp_path_factory.mktemp("clean")
    seen: list[Truths] = []

    def listen(spec: object, tables: Truths, **more: Any) -> Protected:
        seen.append(dict(tables))
        return protect(spec, tables, **more)

    protect: Callable[..., Protected] = drawing.protect_tables
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "protect_tables", listen)
        done = publish(copied(place, folder / "given"), folder / "out")
    assert done.audit.safe and not done.audit.findings
    return seen[0]


# --- Ways to spoil tables -------------------------------------------------------------------------


def edited(table: str, change: Callable[[list[np.ndarray], Table], None]) -> Callable[[Tables, Truths], Tables]:
    """One table with values changed in place."""

    def make(tables: Tables, truths: Truths) -> Tables:
        values = [level.copy() for level in tables[table].values]
        change(values, truths[table])
        return {**tables, table: replace(tables[table], values=tuple(values))}

    return make


def as_counted(name: str, hide: Callable[[np.ndarray], np.ndarray] | None = None) -> Callable[[Table], SafeTable]:
    """True counts, with those hidden that are asked for."""

    def make(table: Table) -> SafeTable:
        hidden = [np.zeros(c.shape, bool) if hide is None else hide(c) for c in table.counts]
        return SafeTable(
            hierarchy=table.hierarchy,
            classification=table.classification,
            values=tuple(np.where(gone, 0, c) for gone, c in zip(hidden, table.counts, strict=True)),
            markers=tuple(np.where(gone, SUPPRESSED, SHOWN).astype(np.int8) for gone in hidden),
            method=Method(name=name, base=1, min_count=5),
        )

    return make


def small(counts: np.ndarray) -> np.ndarray:
    return (counts > 0) & (counts < 5)


def all_tables(make: Callable[[Table], SafeTable]) -> Callable[[Tables, Truths], Tables]:
    return lambda tables, truths: {name: make(truths[name]) for name in tables}


def one_table(name: str, make: Callable[[Table], SafeTable]) -> Callable[[Tables, Truths], Tables]:
    return lambda tables, truths: {**tables, name: make(truths[name])}


def drawn_apart(tables: Tables, truths: Truths) -> Tables:
    spec = ControlledRounding(base=5, min_count=5)
    return {**tables, "sex": round_controlled({"sex": truths["sex"]}, spec=spec, key=KEY)[0]["sex"]}


def base_three(tables: Tables, truths: Truths) -> Tables:
    safe, _ = round_controlled(truths, spec=ControlledRounding(base=3, min_count=3), key=KEY)
    return {name: replace(one, method=replace(one.method, min_count=5)) for name, one in safe.items()}


def other_multiple(levels: list[np.ndarray], truth: Table) -> None:
    """A total of an LSOA at its other multiple: its parts do not make it."""
    (unit, *_) = np.flatnonzero(truth.counts[1][:, -1] % 5)
    floor = truth.counts[1][unit, -1] // 5 * 5
    levels[1][unit, -1] = 2 * floor + 5 - levels[1][unit, -1]


def off_base(levels: list[np.ndarray], truth: Table) -> None:
    levels[0][0, 0] += 2


# --- Ways to tell what is already public ----------------------------------------------------------


def cells_of(truth: Table, level: str) -> list[tuple[str, tuple[str, ...], int]]:
    at = truth.hierarchy.levels.index(level)
    columns = truth.classification.columns
    rows = zip(truth.hierarchy.codes[at].tolist(), truth.counts[at].tolist(), strict=True)
    return [(code, columns[k], count) for code, counts in rows for k, count in enumerate(counts)]


def told(
    table: str,
    level: str = "oa",
    value: Callable[[int], object] = lambda count: count,
    **known: Any,
) -> Callable[[Truths], Public]:
    """A file of somebody else's figures of one table and level."""

    def make(truths: Truths) -> Public:
        name = truths[table].classification.dimensions[0]
        lines = [f"{code},{column[0]},{value(n)}" for code, column, n in cells_of(truths[table], level)]
        return {"known.csv": "\n".join([f"area,{name},value", *lines]) + "\n"}, [{"path": "known.csv", **known}]

    return make


def totals(
    level: str = "oa", value: Callable[[int], object] = lambda count: count, **known: Any
) -> Callable[[Truths], Public]:
    """A file of somebody else's totals."""

    def make(truths: Truths) -> Public:
        rows = [f"{code},{value(n)}" for code, column, n in cells_of(truths["sex"], level) if column[0] == "Total"]
        return {"totals.csv": "\n".join(["area,value", *rows]) + "\n"}, [{"path": "totals.csv", **known}]

    return make


def wards_beside_lsoas(truths: Truths) -> Public:
    """Exact figures of LSOAs, and of wards that are the same but for one output area."""
    wards = [f"W{area[4:7]}" for area in AREAS]
    wards[2] = wards[3]
    lines = ["area,sex,value"]
    counts = truths["sex"].counts[0]
    for ward in sorted(set(wards)):
        sums = counts[[one == ward for one in wards]].sum(axis=0)
        columns = truths["sex"].classification.columns
        lines += [f"{ward},{column[0]},{n}" for column, n in zip(columns, sums.tolist(), strict=True)]
    files, entries = told("sex", "lsoa")(truths)
    files["wards.csv"] = "\n".join(lines) + "\n"
    files["areas.csv"] = "oa,ward\n" + "".join(f"{a},{w}\n" for a, w in zip(AREAS, wards, strict=True))
    return files, [*entries, {"path": "wards.csv", "nest": "oa<ward", "areas": "areas.csv"}]


def percentages(truths: Truths) -> Public:
    """Shares to one decimal, with the exact totals that they are of."""
    files, entries = totals()(truths)
    rows = cells_of(truths["sex"], "oa")
    of = {code: count for code, column, count in rows if column[0] == "Total"}
    lines = [f"{code},{column[0]},{100 * count / of[code]:.1f}" for code, column, count in rows if of[code]]
    files["known.csv"] = "\n".join(["area,sex,value", *lines]) + "\n"
    return files, [*entries, {"path": "known.csv", "kind": "percentages", "denominator": "totals.csv"}]


def counted_by_somebody(truths: Truths) -> Public:
    """One small count of an output area, to somebody who has counted it."""
    code, column, count = next(one for one in cells_of(truths["sex"], "oa") if 0 < one[2] < 5)
    bound = {"area": code, "category": {"sex": column[0]}, "lo": count, "hi": count}
    text = f"area,sex,value\n{code},{column[0]},x\n"
    return {"known.csv": text}, [{"path": "known.csv", "method": "exact", "bounds": [bound]}]


def residents(truths: Truths) -> Public:
    """How many residents of each sex an output area has, where all of them claim: no count can be larger."""
    lines = [f"{code},{column[0]},{count}" for code, column, count in cells_of(truths["sex"], "oa")]
    files = {
        "residents.csv": "\n".join(["area,sex,value", *lines]) + "\n",
        "known.csv": "area,sex,value\nE08910000,Total,x\n",
    }
    return files, [{"path": "known.csv", "method": "exact", "caps": [{"path": "residents.csv"}]}]


SPOILED = {
    "a value that the base never gives": Plant(kinds=("contradiction",), tables=edited("sex", off_base)),
    "a total that its parts cannot make": Plant(
        kinds=("contradiction", "two values"), tables=edited("sex", other_multiple)
    ),
    "one total with two values": Plant(kinds=("two values", "contradiction"), tables=drawn_apart),
    "a base below min_count": Plant(kinds=("too narrow", "pinned"), tables=base_three),
    "each figure rounded by itself": Plant(
        kinds=("method leaks",), tables=all_tables(lambda table: round_conventional(table, base=5, min_count=5))
    ),
    "one table of two rounded by itself": Plant(
        kinds=("method leaks",), tables=one_table("age", lambda table: round_conventional(table, base=5, min_count=5))
    ),
    "counts as they are": Plant(kinds=("pinned",), tables=all_tables(as_counted("exact"))),
    "one table as it is": Plant(kinds=("pinned", "too narrow"), tables=one_table("sex", as_counted("exact"))),
    "small counts hidden, and nothing else": Plant(
        kinds=("pinned", "not covered"), tables=all_tables(as_counted("suppression", small))
    ),
    "one table with small counts hidden": Plant(
        kinds=("pinned", "not covered"), tables=one_table("sex", as_counted("suppression", small))
    ),
    "a table of zeros and others alone": Plant(
        kinds=("pinned", "not covered", "too narrow"),
        tables=one_table("age", as_counted("suppression", lambda counts: counts == 0)),
    ),
}

PUBLIC = {
    "exact figures of output areas": Plant(kinds=("pinned",), public=told("sex")),
    "exact totals of output areas": Plant(kinds=("pinned", "too narrow"), public=totals()),
    "rounded by others to another base": Plant(
        kinds=("too narrow", "pinned"), public=told("sex", value=lambda n: (n + 1) // 3 * 3, base=3)
    ),
    "noise of at most one": Plant(
        kinds=("too narrow", "pinned"), public=told("age", method="cell-key", noise=1, zeros_kept=True)
    ),
    "small counts hidden by others": Plant(
        kinds=("pinned", "too narrow"),
        public=told("sex", value=lambda n: "c" if 0 < n < 5 else n, method="suppression"),
    ),
    "a marker that says 1 to 4": Plant(
        kinds=("pinned",), public=told("sex", value=lambda n: "1 to 4" if 0 < n < 5 else "x", method="exact")
    ),
    "fewer than three": Plant(
        kinds=("too narrow",), public=told("sex", value=lambda n: "fewer than 3" if n < 3 else "x", method="exact")
    ),
    "wards that are LSOAs but for an output area": Plant(kinds=("pinned", "too narrow"), public=wards_beside_lsoas),
    "percentages to one decimal": Plant(kinds=("pinned", "too narrow"), public=percentages),
    "a count that is known from elsewhere": Plant(kinds=("pinned", "too narrow"), public=counted_by_somebody),
    "few residents": Plant(kinds=("too narrow", "pinned"), public=residents),
}

# What others have published, and gives nothing away beside the release.
HARMLESS = {
    "exact totals of authorities": totals("lad"),
    "totals rounded to the same base by themselves": totals("lsoa", lambda n: (n + 2) // 5 * 5, base=5),
    "large figures alone": told("sex", value=lambda n: n if n > 100 else "x", method="exact"),
}


def spoil(plant: Plant, truths: Truths, monkeypatch: pytest.MonkeyPatch) -> None:
    protect: Callable[..., Protected] = drawing.protect_tables

    def spoiled(*given: Any, **more: Any) -> Protected:
        protected = protect(*given, **more)
        assert plant.tables is not None
        return replace(protected, safe=plant.tables(protected.safe, truths))

    monkeypatch.setattr(drawing, "protect_tables", spoiled)


def refused(release: Path, folder: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        publish(release, folder / "out")
    assert not (folder / "out").exists()
    return caught.value


def kinds_of(error: Refused) -> set[str]:
    assert error.outcome.audit is not None
    return {one.kind for one in error.outcome.audit.findings if one.severity in ("disclosure", "contradiction")}


@pytest.mark.parametrize("name", SPOILED)
def test_what_is_spoiled_is_refused_with_a_mend(
    name: str, place: Path, truths: Truths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = SPOILED[name]
    spoil(plant, truths, monkeypatch)
    error = refused(copied(place, tmp_path / "given"), tmp_path)
    assert kinds_of(error) & set(plant.kinds), kinds_of(error)
    assert any(mend.passes for mend in error.outcome.mends)


def put(release: Path, public: Public) -> Path:
    files, entries = public
    for name, text in files.items():
        (release.parent / name).write_text(text, encoding="utf-8")
    return change(release, already_public=entries)


@pytest.mark.parametrize("name", PUBLIC)
def test_what_others_have_published_is_known(name: str, place: Path, truths: Truths, tmp_path: Path) -> None:
    plant = PUBLIC[name]
    assert plant.public is not None
    error = refused(put(copied(place, tmp_path / "given"), plant.public(truths)), tmp_path)
    assert kinds_of(error) & set(plant.kinds), kinds_of(error)
    assert any(mend.passes for mend in error.outcome.mends)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_gives_nothing_away_is_published_beside(name: str, place: Path, truths: Truths, tmp_path: Path) -> None:
    done = publish(put(copied(place, tmp_path / "given"), HARMLESS[name](truths)), tmp_path / "out")
    assert done.audit.safe


def test_a_mend_that_passes_can_be_published(place: Path, truths: Truths, tmp_path: Path) -> None:
    """The table that the mend says to drop is dropped from the release file, and it goes out."""
    release = put(copied(place, tmp_path / "given"), told("sex", "lsoa")(truths))
    error = refused(release, tmp_path)
    (drop,) = (mend for mend in error.outcome.mends if mend.kind == "drop table")
    assert drop.passes and drop.what == ("sex",)
    change(release, table=[one for one in TABLES if one["id"] not in drop.what])
    assert publish(release, tmp_path / "out").audit.safe
