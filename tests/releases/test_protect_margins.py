"""`protect` with every margin of several dimensions: the rows, the sums, the attack, by every method."""

import csv
import itertools
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from counts_files import KEY

from common.faults import Infeasible, InputError
from releases.attack.deducing import AttackOptions, attack
from releases.outcome import Refused
from releases.protect.methods import METHODS
from releases.protect.onetable import ProtectOptions, protect
from releases.rules.methodoptions import MethodOptions

AREAS, BENEFITS, SEXES = 8, ("esa", "jsa", "uc"), ("f", "m")
CODES = {"oa": [f"E{area:08d}" for area in range(AREAS)], "lad": ["A1", "A2"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    draw = random.Random(3)
    lines = [f"E{area:08d},A{1 + area // 4}\n" for area in range(AREAS)]
    (folder / "areas.csv").write_text("oa,lad\n" + "".join(lines))
    listed = [f"benefit,{b}\n" for b in BENEFITS] + [f"sex,{s}\n" for s in SEXES]
    (folder / "categories.csv").write_text("dimension,category\n" + "".join(listed))
    rows = ["oa,benefit,sex,count,ckey\n"]
    for area in range(AREAS):
        for benefit, sex in itertools.product(BENEFITS, SEXES):
            count = int(draw.gammavariate(1.1, 9))
            rows.append(f"E{area:08d},{benefit},{sex},{count},{draw.randrange(4096) if count else 0}\n")
    (folder / "counts.csv").write_text("".join(rows))
    (folder / "test.key").write_bytes(KEY)
    return folder


@pytest.fixture
def options(place: Path, tmp_path: Path) -> ProtectOptions:
    return ProtectOptions(
        counts=place / "counts.csv",
        out=tmp_path / "safe.csv",
        nests=("oa<lad",),
        by=("benefit", "sex"),
        areas=place / "areas.csv",
        categories=place / "categories.csv",
        key_file=place / "test.key",
        report=tmp_path / "private.json",
    )


def rows(path: Path) -> dict[tuple[str, ...], tuple[str, str]]:
    with path.open(newline="") as file:
        return {tuple(row[:-2]): (row[-2], row[-1]) for row in list(csv.reader(file))[1:]}


def table(options: ProtectOptions) -> dict[str, list[Any]]:
    assert options.report is not None
    told: dict[str, list[Any]] = json.loads(options.report.read_text())["table"]
    return told


@pytest.mark.parametrize("method", METHODS)
def test_every_margin_has_its_rows_in_order(options: ProtectOptions, method: str) -> None:
    """Levels in nest order, areas and codes by code point, Total last in every dimension."""
    protect(replace(options, method=method))
    expected = [
        (level, code, benefit, sex)
        for level in ("oa", "lad")
        for code in CODES[level]
        for benefit in (*BENEFITS, "Total")
        for sex in (*SEXES, "Total")
    ]
    assert list(rows(options.out)) == expected
    with options.out.open() as file:
        assert file.readline() == "area_level,area,benefit,sex,value,marker\n"
    told = table(options)
    assert list(zip(told["area_level"], told["area"], told["benefit"], told["sex"], strict=True)) == expected


@pytest.mark.parametrize("method", METHODS)
def test_the_truth_lies_within_what_the_reviewer_is_told(options: ProtectOptions, method: str) -> None:
    protect(replace(options, method=method))
    told = table(options)
    for true, lo, hi in zip(told["true"], told["lo"], told["hi"], strict=True):
        assert lo <= true and (hi is None or true <= hi)


@pytest.mark.parametrize("method", ["controlled-rounding", "small-count-rounding"])
def test_every_sum_adds_up(options: ProtectOptions, method: str) -> None:
    protect(replace(options, method=method, attack=True))
    shown = {place: int(value) for place, (value, _) in rows(options.out).items()}
    for (level, code, benefit, sex), value in shown.items():
        if benefit == "Total":
            assert value == sum(shown[level, code, each, sex] for each in BENEFITS)
        if sex == "Total":
            assert value == sum(shown[level, code, benefit, each] for each in SEXES)
        if level == "lad":
            inside = CODES["oa"][:4] if code == "A1" else CODES["oa"][4:]
            assert value == sum(shown["oa", oa, benefit, sex] for oa in inside)


def test_rounding_keeps_within_its_steps(options: ProtectOptions) -> None:
    protect(options)
    told = table(options)
    pairs = list(zip(told["true"], told["published"], strict=True))
    assert all(value % 5 == 0 and abs(true - value) < 10 for true, value in pairs)
    metadata = json.loads(options.out.with_name("safe.csv-metadata.json").read_text())["smallarea"]
    assert metadata["method"] == {"name": "controlled-rounding", "base": 5, "min_count": 5, "steps": 1}
    assert metadata["margins"] == [["benefit", "sex"], ["benefit"], ["sex"], []]


def test_no_steps_where_none_are_wanted_or_no_solution(options: ProtectOptions) -> None:
    try:
        protect(replace(options, method_options=MethodOptions(steps=0)))
    except Infeasible as error:
        assert "steps = 0" in " ".join(error.demands)
    else:
        told = table(options)
        assert all(abs(true - value) < 5 for true, value in zip(told["true"], told["published"], strict=True))


def test_suppression_shows_true_figures_and_no_small_one(options: ProtectOptions) -> None:
    protect(replace(options, method="suppression", attack=True))
    told = table(options)
    for true, value, why in zip(told["true"], told["published"], told["status"], strict=True):
        assert value in (None, true) and (why == "published") == (value is not None)
        assert (why == "primary") == (1 <= true <= 4)


def test_keys_of_the_same_people_agree_with_a_table_of_one_dimension(options: ProtectOptions, tmp_path: Path) -> None:
    protect(replace(options, method="cell-key"))
    crossed = rows(options.out)
    counts: dict[tuple[str, str], list[int]] = {}
    with options.counts.open(newline="") as file:
        for row in csv.DictReader(file):
            both = counts.setdefault((row["oa"], row["benefit"]), [0, 0])
            both[0] += int(row["count"])
            both[1] += int(row["ckey"])
    lines = [f"{oa},{benefit},{count},{keys}\n" for (oa, benefit), (count, keys) in counts.items()]
    alone = tmp_path / "alone.csv"
    alone.write_text("oa,benefit,count,ckey\n" + "".join(lines))
    protect(replace(options, method="cell-key", counts=alone, by=("benefit",), out=tmp_path / "one.csv"))
    for (level, area, benefit), value in rows(tmp_path / "one.csv").items():
        assert crossed[level, area, benefit, "Total"] == value


@pytest.mark.parametrize("method", ["conventional-rounding", "random-rounding"])
def test_what_leaks_is_not_written(options: ProtectOptions, method: str) -> None:
    with pytest.raises(Refused) as caught:
        protect(replace(options, method=method, attack=True))
    assert not options.out.exists() and caught.value.outcome.audit is not None
    assert json.loads(options.report.read_text())["written"] is None  # type: ignore[union-attr]


def test_parquet_holds_the_same(options: ProtectOptions, tmp_path: Path) -> None:
    protect(options)
    protect(replace(options, out=tmp_path / "safe.parquet"))
    read = pq.read_table(tmp_path / "safe.parquet").to_pylist()
    with options.out.open(newline="") as file:
        assert [{**row, "value": int(row["value"])} for row in csv.DictReader(file)] == read


def test_what_is_not_honoured_is_said(options: ProtectOptions) -> None:
    with pytest.raises(Infeasible, match="network"):
        protect(replace(options, method_options=MethodOptions(aim="minimum-distance")))


def test_the_file_is_attacked_with_every_margin(options: ProtectOptions) -> None:
    protect(options)
    outcome = attack(AttackOptions(files=(options.out,)))
    assert outcome.audit is not None and outcome.audit.safe
    assert outcome.audit.figures["safe: path"] == "theorem"
    lines = options.out.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("lad,A1,uc,Total,"))
    cells = lines[at].split(",")
    lines[at] = ",".join([*cells[:4], str(int(cells[4]) + 200), cells[5]])
    options.out.write_text("\n".join(lines) + "\n")
    outcome = attack(AttackOptions(files=(options.out,)))
    assert outcome.audit is not None and not outcome.audit.safe


def test_the_finest_crossing_alone_is_a_network(options: ProtectOptions) -> None:
    protect(replace(options, margins="finest", attack=True))
    assert len(rows(options.out)) == (AREAS + 2) * (len(BENEFITS) * len(SEXES) + 1)


TRADES = {"baker": "food", "brewer": "food", "mason": "building", "joiner": "building"}


@pytest.fixture
def nested(place: Path, tmp_path: Path) -> ProtectOptions:
    """Areas by trades in branches: two hierarchies."""
    draw = random.Random(5)
    rows = [
        f"E{area:08d},{trade},{branch},{int(draw.gammavariate(1.2, 7))}\n"
        for area in range(AREAS)
        for trade, branch in TRADES.items()
    ]
    (tmp_path / "counts.csv").write_text("oa,trade,branch,count\n" + "".join(rows))
    (tmp_path / "trades.csv").write_text("dimension,category\n" + "".join(f"trade,{trade}\n" for trade in TRADES))
    return ProtectOptions(
        counts=tmp_path / "counts.csv",
        out=tmp_path / "safe.csv",
        nests=("oa<lad", "trade<branch"),
        areas=place / "areas.csv",
        categories=tmp_path / "trades.csv",
        key_file=place / "test.key",
        report=tmp_path / "private.json",
    )


@pytest.mark.parametrize("method", METHODS)
def test_two_hierarchies_at_every_level_of_both(nested: ProtectOptions, method: str) -> None:
    protect(replace(nested, method=method))
    expected = [
        (level, code, trade_level, trade)
        for level in ("oa", "lad")
        for code in CODES[level]
        for trade_level, trade in [
            *(("trade", trade) for trade in sorted(TRADES)),
            ("branch", "building"),
            ("branch", "food"),
            ("Total", "Total"),
        ]
    ]
    assert list(rows(nested.out)) == expected
    with nested.out.open() as file:
        assert file.readline() == "area_level,area,trade_level,trade,value,marker\n"
    told = table(nested)
    for true, lo, hi in zip(told["true"], told["lo"], told["hi"], strict=True):
        assert lo <= true and (hi is None or true <= hi)


def test_two_hierarchies_add_up_and_pass_the_attack(nested: ProtectOptions) -> None:
    protect(replace(nested, attack=True))
    shown = {place: int(value) for place, (value, _) in rows(nested.out).items()}
    for (level, code, trade_level, trade), value in shown.items():
        if trade_level == "branch":
            parts = [each for each, branch in TRADES.items() if branch == trade]
            assert value == sum(shown[level, code, "trade", each] for each in parts)
        if level == "lad":
            inside = CODES["oa"][:4] if code == "A1" else CODES["oa"][4:]
            assert value == sum(shown["oa", oa, trade_level, trade] for oa in inside)
    nests = json.loads(nested.out.with_name("safe.csv-metadata.json").read_text())["smallarea"]["nests"]
    assert [nest["column"] for nest in nests] == ["area", "trade"]
    assert nests[1]["tree"][0]["parents"] == [1, 1, 0, 0]


def test_suppression_of_two_hierarchies_passes_its_audit(nested: ProtectOptions) -> None:
    protect(replace(nested, method="suppression", attack=True))
    told = table(nested)
    for true, value in zip(told["true"], told["published"], strict=True):
        assert value in (None, true) and (value is None or not 1 <= true <= 4)


def test_a_listed_trade_that_no_row_places(nested: ProtectOptions) -> None:
    assert nested.categories is not None
    with nested.categories.open("a") as file:
        file.write("trade,tailor\n")
    with pytest.raises(InputError, match="no row says which branch it lies in"):
        protect(nested)


def test_levels_and_totals_that_must_be_shown_are(options: ProtectOptions) -> None:
    wanted = MethodOptions(show_totals=("oa",), show_levels=("lad",), costs=("uc=5", "lad=2"), decoys=0.0)
    try:
        protect(replace(options, method="suppression", method_options=wanted))
    except Infeasible as error:
        assert "shown" in str(error)
        return
    for (level, _, benefit, sex), (_, marker) in rows(options.out).items():
        assert not (marker and (level == "lad" or (benefit, sex) == ("Total", "Total")))


def test_a_cost_of_nothing(options: ProtectOptions) -> None:
    with pytest.raises(InputError, match="no level and no category"):
        protect(replace(options, method="suppression", method_options=MethodOptions(costs=("xx=5",))))


def suppressed(options: ProtectOptions, wanted: MethodOptions) -> dict[str, Any]:
    protect(replace(options, method="suppression", method_options=wanted))
    assert options.report is not None
    told: dict[str, Any] = json.loads(options.report.read_text())
    return told


def choices(options: ProtectOptions, *lines: str, columns: str = "area,benefit,sex,choice") -> MethodOptions:
    path = options.out.with_name("choices.csv")
    path.write_text("".join(f"{line}\n" for line in (columns, *lines)))
    return MethodOptions(cells=path, decoys=0.0)


def test_cells_that_are_decided(options: ProtectOptions) -> None:
    wanted = choices(options, "A1,uc,Total,hide", "A2,Total,Total,show", "E00000003,esa,f,hide")
    told = suppressed(options, wanted)["table"]
    cells = list(zip(told["area"], told["benefit"], told["sex"], strict=True))
    assert told["status"][cells.index(("A1", "uc", "Total"))] == "forced"
    assert told["marker"][cells.index(("A1", "uc", "Total"))] == "c"
    assert told["marker"][cells.index(("A2", "Total", "Total"))] == ""
    assert told["status"][cells.index(("E00000003", "esa", "f"))] in ("forced", "primary")


def test_faults_of_decided_cells_are_told_together(options: ProtectOptions) -> None:
    wanted = choices(options, "A9,uc,Total,hide", "A1,uc,Total,keep", "A1,xx,Total,show")
    with pytest.raises(InputError) as raised:
        suppressed(options, wanted)
    assert [(fault.row, fault.column) for fault in raised.value.faults] == [(2, "area"), (4, "benefit"), (3, "choice")]
    with pytest.raises(InputError, match="an earlier row names too"):
        suppressed(options, choices(options, "A1,uc,f,hide", "A1,uc,f,show"))
    with pytest.raises(InputError, match="somebody is counted"):
        suppressed(options, choices(options, "A1,Total,Total,structural"))
    assert not options.out.exists()


def test_cells_of_two_hierarchies_are_named_by_their_codes(nested: ProtectOptions) -> None:
    wanted = choices(nested, "A1,food,hide", "A2,mason,show", "A2,Total,show", columns="area,trade,choice")
    told = suppressed(nested, wanted)["table"]
    cells = list(zip(told["area"], told["trade"], strict=True))
    assert told["status"][cells.index(("A1", "food"))] == "forced"
    assert told["marker"][cells.index(("A2", "mason"))] == told["marker"][cells.index(("A2", "Total"))] == ""


def test_too_much_hidden_is_told_with_what_would_pass(options: ProtectOptions, capsys: Any) -> None:
    report = suppressed(options, MethodOptions(max_hidden=0.2))
    protection = report["protection"]
    assert protection["above_share"] == ["oa"]
    assert {"cells", "primary", "others", "hidden", "share", "level"} <= set(protection["loss"][0])
    assert protection["loss"][0]["share"] > 0.2
    assert any("leaving out oa passes" in sentence for sentence in protection["advice"])
    assert any("publishing only" in sentence for sentence in protection["advice"])
