"""`protect` by every method: what each promises, what it tells the reviewer, what the attack says of what was written."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from counts_files import KEY

from common.faults import Infeasible, InputError
from releases.attack.deducing import AttackOptions, attack
from releases.outcome import Outcome
from releases.protect.methods import METHODS
from releases.protect.onetable import ProtectOptions, protect
from releases.rules.methodoptions import MethodOptions

AREAS, BENEFITS = 60, ("dla", "esa", "jsa", "uc")
SAFE = ("controlled-rounding", "small-count-rounding", "suppression", "cell-key")
ADDITIVE = ("controlled-rounding", "small-count-rounding")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty output areas in twelve LSOAs in two authorities, with mostly small counts."""
    folder = tmp_path_factory.mktemp("place")
    draw = random.Random(7)
    areas = [(f"E{area:08d}", f"L{area // 5:08d}", f"A{area // 30:08d}") for area in range(AREAS)]
    (folder / "areas.csv").write_text("oa,lsoa,lad\n" + "".join(f"{','.join(codes)}\n" for codes in areas))
    (folder / "categories.csv").write_text("dimension,category\n" + "".join(f"benefit,{b}\n" for b in BENEFITS))
    rows = [
        f"{codes[0]},{benefit},{int(draw.gammavariate(1.2, scale))}\n"
        for codes in areas
        for benefit, scale in zip(BENEFITS, (3, 5, 2, 14), strict=True)
    ]
    (folder / "counts.csv").write_text("oa,benefit,count\n" + "".join(rows))
    (folder / "test.key").write_bytes(KEY)
    return folder


@pytest.fixture
def options(place: Path, tmp_path: Path) -> ProtectOptions:
    return ProtectOptions(
        counts=place / "counts.csv",
        out=tmp_path / "safe.csv",
        nests=("oa<lsoa<lad",),
        by=("benefit",),
        areas=place / "areas.csv",
        categories=place / "categories.csv",
        key_file=place / "test.key",
        report=tmp_path / "private.json",
    )


def run(options: ProtectOptions, method: str, **asked: Any) -> Outcome:
    return protect(replace(options, method=method, method_options=MethodOptions(**asked)))


def report(options: ProtectOptions) -> dict[str, Any]:
    assert options.report is not None
    told: dict[str, Any] = json.loads(options.report.read_text())
    return told


def told_method(options: ProtectOptions) -> dict[str, Any]:
    text = options.out.with_name(f"{options.out.name}-metadata.json").read_text()
    method: dict[str, Any] = json.loads(text)["smallarea"]["method"]
    return method


def rows(path: Path) -> dict[tuple[str, str, str], tuple[str, str]]:
    with path.open(newline="") as file:
        return {
            (row["area_level"], row["area"], row["benefit"]): (row["value"], row["marker"])
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("method", METHODS)
def test_same_key_same_bytes(options: ProtectOptions, method: str) -> None:
    run(options, method)
    first = options.out.read_bytes(), options.report.read_bytes()  # type: ignore[union-attr]
    run(options, method)
    assert (options.out.read_bytes(), options.report.read_bytes()) == first  # type: ignore[union-attr]


@pytest.mark.parametrize("method", METHODS)
def test_public_files_hold_no_status_and_no_truth(options: ProtectOptions, method: str) -> None:
    """Primary and secondary cells carry one marker; every cell of the tree has its row."""
    run(options, method)
    with options.out.open(newline="") as file:
        assert next(csv.reader(file)) == ["area_level", "area", "benefit", "value", "marker"]
    shown = rows(options.out)
    assert len(shown) == (AREAS + 12 + 2) * (len(BENEFITS) + 1)
    assert {marker for _, marker in shown.values()} <= {"", "c"}
    assert set(told_method(options)) <= {"name", "base", "min_count", "share", "aim"}


@pytest.mark.parametrize("method", SAFE)
def test_what_is_written_passes_the_attack(options: ProtectOptions, method: str) -> None:
    """As `protect --attack`, and as an outsider's attack on the file alone, and with the truth."""
    outcome = protect(replace(options, method=method, attack=True))
    assert outcome.audit is not None and outcome.audit.safe
    for truth in (None, options.counts):
        done = attack(AttackOptions(files=(options.out,), truth=truth, nests=options.nests, by=options.by))
        assert done.audit is not None and done.audit.safe, done.audit.findings[:3]


@pytest.mark.parametrize("method", [*SAFE, "conventional-rounding", "random-rounding"])
def test_the_reviewer_is_told_path_loss_status_and_intervals(options: ProtectOptions, method: str) -> None:
    run(options, method)
    told = report(options)
    assert told["method"]["name"] == method and told["loss"]
    if method != "conventional-rounding":
        assert told["protection"]
    for level in told["levels"]:
        for true, low, high in zip(level["true"], level["lo"], level["hi"], strict=True):
            assert all(lo <= x and (hi is None or x <= hi) for x, lo, hi in zip(true, low, high, strict=True))


@pytest.mark.parametrize("method", ADDITIVE)
@pytest.mark.parametrize("aim", ["unbiased", "minimum-distance"])
def test_additive_methods_add_up(options: ProtectOptions, method: str, aim: str) -> None:
    run(options, method, **({"aim": aim} if method == "controlled-rounding" else {}))
    shown = {place: int(value) for place, (value, _) in rows(options.out).items()}
    for (level, area, benefit), value in shown.items():
        if benefit == "Total":
            assert value == sum(shown[level, area, each] for each in BENEFITS)
    for benefit in (*BENEFITS, "Total"):
        oas = sum(value for (level, _, each), value in shown.items() if (level, each) == ("oa", benefit))
        assert oas == sum(value for (level, _, each), value in shown.items() if (level, each) == ("lad", benefit))


class TestSuppression:
    def test_what_is_shown_is_true_and_no_small_count_is(self, options: ProtectOptions) -> None:
        run(options, "suppression")
        shown = rows(options.out)
        for level in report(options)["levels"]:
            for code, true in zip(level["codes"], level["true"], strict=True):
                for benefit, count in zip((*BENEFITS, "Total"), true, strict=True):
                    value, marker = shown[level["level"], code, benefit]
                    assert value == ("" if marker else str(count))
                    assert marker == "c" or not 1 <= count <= 4

    def test_statuses_and_reasons(self, options: ProtectOptions) -> None:
        run(options, "suppression")
        told = report(options)
        for level in told["levels"]:
            for true, status, marker in zip(level["true"], level["status"], level["marker"], strict=True):
                for count, why, shown in zip(true, status, marker, strict=True):
                    assert (why == "primary") == (1 <= count <= 4)
                    assert (why == "published") == (shown == "")
        assert set(told["protection"]["reasons"]) == {"primary", "secondary", "decoy", "forced"}
        assert told["protection"]["rules"][0]["rule"] == "threshold"
        assert told["protection"]["path"] == "network"

    def test_too_much_hidden_says_what_would_pass(self, options: ProtectOptions) -> None:
        outcome = run(options, "suppression", max_hidden=0.3)
        text = " ".join(outcome.notices)
        assert "of the cells of oa are hidden: more than 30%" in text
        assert "leaving out oa" in text and ("passes: at most" in text)
        assert report(options)["protection"]["advice"]

    def test_totals_that_must_be_shown_are(self, options: ProtectOptions) -> None:
        run(options, "suppression", show_totals=("lsoa", "lad"), decoys=0.2)
        totals = [
            marker
            for (level, _, benefit), (_, marker) in rows(options.out).items()
            if benefit == "Total" and level != "oa"
        ]
        assert set(totals) == {""}

    def test_cells_of_a_file(self, options: ProtectOptions, tmp_path: Path) -> None:
        cells = tmp_path / "cells.csv"
        cells.write_text("area,benefit,choice\nA00000000,uc,hide\nA00000001,Total,show\n")
        run(options, "suppression", cells=cells)
        assert rows(options.out)["lad", "A00000000", "uc"] == ("", "c")
        assert rows(options.out)["lad", "A00000001", "Total"][1] == ""
        statuses = {level["level"]: level for level in report(options)["levels"]}
        assert statuses["lad"]["status"][0][BENEFITS.index("uc")] == "forced"

    def test_cells_of_a_bad_file_are_all_told(self, options: ProtectOptions, tmp_path: Path) -> None:
        cells = tmp_path / "cells.csv"
        cells.write_text("area,benefit,choice\nA9,uc,hide\nA00000000,xx,hide\nA00000000,uc,perhaps\n")
        with pytest.raises(InputError) as caught:
            run(options, "suppression", cells=cells)
        assert [fault.row for fault in caught.value.faults] == [2, 3, 4]

    def test_what_clashes_is_named(self, options: ProtectOptions) -> None:
        with pytest.raises(Infeasible, match="must be hidden and must be shown"):
            run(options, "suppression", show_levels=("oa",))

    def test_sensitive_groups_are_hidden(self, options: ProtectOptions) -> None:
        """k-disclosure of a profile reaches suppression: where everybody has one benefit, that is told nowhere."""
        protect(replace(options, method="suppression", profile="gss-5", sensitive=("benefit",)))
        told = {row["rule"] for row in report(options)["protection"]["rules"]}
        assert "k-disclosure" in told


class TestMinimumDistance:
    def test_is_told_and_nearer(self, options: ProtectOptions) -> None:
        run(options, "controlled-rounding")
        usual = _distance(options)
        run(options, "controlled-rounding", aim="minimum-distance", share=0.25)
        assert _distance(options) < usual
        assert told_method(options) == {
            "name": "controlled-rounding",
            "base": 5,
            "min_count": 5,
            "aim": "minimum-distance",
            "share": 0.25,
        }

    def test_can_it_be_run_backwards_it_is_refused(self, options: ProtectOptions) -> None:
        with pytest.raises(Infeasible, match="run backwards"):
            run(options, "controlled-rounding", aim="minimum-distance", share=0.0)

    def test_weights_by_level(self, options: ProtectOptions) -> None:
        with pytest.raises(InputError, match="2 weights for 3 levels"):
            run(options, "controlled-rounding", aim="minimum-distance", weights=(1.0, 2.0))
        run(options, "controlled-rounding", aim="minimum-distance", weights=(1.0, 2.0, 4.0))


def _distance(options: ProtectOptions) -> int:
    total = 0
    for level in report(options)["levels"]:
        for true, shown in zip(level["true"], level["published"], strict=True):
            total += sum(abs(x - r) for x, r in zip(true, shown, strict=True))
    return total


def test_small_counts_alone_change(options: ProtectOptions) -> None:
    run(options, "small-count-rounding")
    oas = report(options)["levels"][0]
    for true, shown in zip(oas["true"], oas["published"], strict=True):
        for count, value in zip(true[:-1], shown[:-1], strict=True):
            assert value in ((0, 5) if 1 <= count <= 4 else (count,))


@pytest.mark.parametrize(
    ("method", "asked", "key"),
    [
        ("random-rounding", {"share": 0.5}, "--share"),
        ("suppression", {"steps": 1}, "--steps"),
        ("controlled-rounding", {"decoys": 0.5}, "--decoys"),
        ("controlled-rounding", {"aim": "beauty"}, "--aim"),
        ("controlled-rounding", {"weights": (1.0, 2.0, 3.0)}, "--weights"),
        ("suppression", {"show_totals": ("ward",)}, "--show-totals"),
        ("suppression", {"costs": ("lad",)}, "--cost"),
        ("suppression", {"costs": ("nothing=2",)}, "--cost"),
        ("suppression", {"decoys": 1.5}, "--decoys"),
        ("small-count-rounding", {"max_round": 2}, "--max-round"),
    ],
)
def test_options_that_mean_nothing_or_are_out_of_range(
    options: ProtectOptions, method: str, asked: dict[str, Any], key: str
) -> None:
    with pytest.raises(InputError) as caught:
        run(options, method, **asked)
    assert [fault.key for fault in caught.value.faults] == [key]


def test_noise_of_somebody_else_is_attacked_as_far_as_it_is_known(options: ProtectOptions, tmp_path: Path) -> None:
    """With nothing said of the noise nothing is proven, and that is said; with a small bound much is."""
    run(options, "cell-key", noise_bound=10)
    unsaid = attack(AttackOptions(files=(options.out,))).audit
    assert unsaid is not None and any("how far its noise reaches" in what for what in unsaid.not_checked)
    known = tmp_path / "known.toml"
    known.write_text(f'[[file]]\npath = "{options.out.name}"\nnoise = 10\n')
    said = attack(AttackOptions(files=(options.out,), known=known)).audit
    assert said is not None and said.safe and not any("noise" in what for what in said.not_checked)
    known.write_text(f'[[file]]\npath = "{options.out.name}"\nnoise = 1\n')
    assert not attack(AttackOptions(files=(options.out,), known=known)).audit.safe  # type: ignore[union-attr]
