"""`protect`: one table of counts in, one safe table out, whole or not at all."""

import csv
import dataclasses
import errno
import json
import os
import random
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from counts_files import COUNTS, NEST, WHOLE, write

import releases.protect.onetable
from common.faults import Infeasible, InputError
from releases.attack.known import read_all_known
from releases.files.wholefiles import Writing, write_whole
from releases.outcome import Outcome, Refused
from releases.protect.onetable import ProtectOptions, protect
from releases.rules.methodoptions import MethodOptions
from releases.rules.ptables import write_ptable
from sdc.cellkey.design import PTableSpec, design_ptable


@pytest.fixture
def options(tmp_path: Path) -> ProtectOptions:
    paths = write(tmp_path)
    return ProtectOptions(
        counts=paths["counts"],
        out=tmp_path / "safe.csv",
        nests=(NEST,),
        by=("benefit",),
        areas=paths["areas"],
        categories=paths["categories"],
        key_file=paths["key"],
    )


def run(options: ProtectOptions, **changes: object) -> Outcome:
    return protect(dataclasses.replace(options, **changes))  # type: ignore[arg-type]


def refused(options: ProtectOptions, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        run(options, **changes)
    return str(caught.value)


def rows(path: Path) -> dict[tuple[str, ...], str]:
    with path.open(newline="") as file:
        return {tuple(row[:-2]): row[-2] for row in list(csv.reader(file))[1:]}


TRUE = {"E00000001": (7, 3), "E00000002": (0, 1), "E00000003": (12, 0), "E00000004": (0, 0)}


class TestTheSafeTable:
    def test_every_area_at_every_level_by_every_category_and_total(self, options: ProtectOptions) -> None:
        run(options)
        with options.out.open(newline="") as file:
            table = list(csv.reader(file))
        assert table[0] == ["area_level", "area", "benefit", "value", "marker"]
        areas = [("oa", code) for code in TRUE] + [("lsoa", "E01000001"), ("lsoa", "E01000002"), ("lad", "E08000001")]
        wanted = [[level, code, category] for level, code in areas for category in ("jsa", "uc", "Total")]
        assert [row[:3] for row in table[1:]] == wanted
        assert all(row[4] == "" for row in table[1:])

    def test_additive_multiples_within_the_base(self, options: ProtectOptions) -> None:
        run(options)
        shown = {key: int(value) for key, value in rows(options.out).items()}
        for code, (jsa, uc) in TRUE.items():
            for category, true in (("jsa", jsa), ("uc", uc), ("Total", jsa + uc)):
                value = shown["oa", code, category]
                assert value % 5 == 0 and abs(value - true) < 5
                assert true % 5 != 0 or value == true
        for level, code in {key[:2] for key in shown}:
            assert shown[level, code, "jsa"] + shown[level, code, "uc"] == shown[level, code, "Total"]
        for category in ("jsa", "uc", "Total"):
            assert sum(shown["oa", code, category] for code in TRUE) == shown["lad", "E08000001", category]

    def test_parquet_holds_the_same(self, options: ProtectOptions) -> None:
        run(options)
        run(options, out=options.out.with_suffix(".parquet"))
        table = pq.read_table(options.out.with_suffix(".parquet")).to_pylist()
        told = {(row["area_level"], row["area"], row["benefit"]): str(row["value"]) for row in table}
        assert told == rows(options.out)

    def test_row_order_and_format_of_the_counts_change_nothing(self, options: ProtectOptions) -> None:
        run(options)
        before = options.out.read_bytes()
        head, *lines = COUNTS.splitlines()
        random.Random(3).shuffle(lines)
        options.counts.write_text("\r\n".join([head, *lines]))
        run(options)
        assert options.out.read_bytes() == before

    def test_another_key_draws_otherwise(self, options: ProtectOptions, tmp_path: Path) -> None:
        drawn = set()
        for number in range(12):
            (tmp_path / "other.key").write_bytes(b"%032d" % number)
            run(options, key_file=tmp_path / "other.key")
            drawn.add(options.out.read_bytes())
        assert len(drawn) > 1

    def test_two_dimensions_at_their_finest(self, options: ProtectOptions) -> None:
        options.counts.write_text("oa,benefit,sex,count\nE00000001,uc,f,3\nE00000001,uc,m,9\n")
        run(options, by=("benefit", "sex"), margins="finest")
        shown = rows(options.out)
        assert ("oa", "E00000001", "uc", "f") in shown and ("oa", "E00000001", "Total", "Total") in shown
        assert not any(("Total" in key) and key[2:] != ("Total", "Total") for key in shown)

    def test_totals_alone(self, options: ProtectOptions) -> None:
        options.counts.write_text("oa,count\nE00000001,3\n")
        run(options, by=(), categories=None)
        assert set(rows(options.out)) == {
            *(("oa", code) for code in TRUE),
            ("lsoa", "E01000001"),
            ("lsoa", "E01000002"),
            ("lad", "E08000001"),
        }

    def test_complete_counts_need_no_lists(self, options: ProtectOptions) -> None:
        options.counts.write_text(WHOLE)
        run(options, areas=None, categories=None, complete=True)
        assert ("oa", "E00000004", "uc") not in rows(options.out)

    def test_metadata_tell_the_method_and_nothing_measured(self, options: ProtectOptions) -> None:
        outcome = run(options)
        metadata = options.out.with_name("safe.csv-metadata.json")
        assert outcome.written == (options.out, metadata)
        block = json.loads(metadata.read_text())["smallarea"]
        assert block["file"] == "safe.csv"
        assert block["method"] == {"name": "controlled-rounding", "base": 5, "min_count": 5}
        assert [level["level"] for level in block["nests"][0]["tree"]] == ["oa", "lsoa", "lad"]

    def test_conventional_rounding_says_that_it_leaks(self, options: ProtectOptions) -> None:
        outcome = run(options, method="conventional-rounding", key_file=None)
        assert any("leaks by itself" in notice for notice in outcome.notices)
        assert rows(options.out)["oa", "E00000001", "uc"] == "5"
        assert rows(options.out)["oa", "E00000003", "jsa"] == "10"


class TestTheReport:
    def test_private_and_whole(self, options: ProtectOptions, tmp_path: Path) -> None:
        report = tmp_path / "report.json"
        outcome = run(options, report=report, attack=True)
        assert outcome.written[-1] == report
        assert stat.S_IMODE(report.stat().st_mode) == 0o600
        plain = json.loads(report.read_text())
        assert plain["private"] is True and plain["audit"]["safe"] is True and plain["protection"]["duels"] >= 1
        oa = plain["levels"][0]
        assert oa["true"] == [[7, 3, 10], [0, 1, 1], [12, 0, 12], [0, 0, 0]]
        shown = rows(options.out)
        for at, code in enumerate(oa["codes"]):
            values = [int(shown["oa", code, category]) for category in ("jsa", "uc", "Total")]
            assert oa["published"][at] == values
            assert oa["lo"][at] == [max(0, value - 4) for value in values]
            assert oa["hi"][at] == [value + 4 for value in values]
            same = [true == value for true, value in zip(oa["true"][at], values, strict=True)]
            assert oa["status"][at] == ["published" if one else "rounded" for one in same]
        assert plain["loss"]

    def test_public_files_hold_none_of_it(self, options: ProtectOptions, tmp_path: Path) -> None:
        """A true count that no rounding gives stands nowhere but in the report."""
        options.counts.write_text("oa,benefit,count\nE00000001,jsa,73127\nE00000002,uc,3\n")
        outcome = run(options, report=tmp_path / "report.json", attack=True)
        for path in outcome.written[:-1]:
            assert "73127" not in path.read_text()
        assert "73127" in outcome.written[-1].read_text()
        assert not any("73127" in notice for notice in outcome.notices)


class TestTheAttack:
    def test_controlled_rounding_passes(self, options: ProtectOptions) -> None:
        outcome = run(options, attack=True)
        assert outcome.audit is not None and outcome.audit.safe

    def test_conventional_rounding_is_not_written(self, options: ProtectOptions, tmp_path: Path) -> None:
        with pytest.raises(Refused) as caught:
            run(options, method="conventional-rounding", attack=True, report=tmp_path / "report.json")
        assert caught.value.findings and caught.value.outcome.audit is not None
        assert caught.value.outcome.written == (tmp_path / "report.json",)
        assert json.loads((tmp_path / "report.json").read_text())["written"] is None
        assert not options.out.exists() and not list(tmp_path.glob("*metadata*"))

    def test_a_table_before_stays_as_it_was(self, options: ProtectOptions) -> None:
        options.out.write_text("before")
        with pytest.raises(Refused):
            run(options, method="conventional-rounding", attack=True)
        assert options.out.read_text() == "before"

    def test_exact_totals_that_are_already_public_break_the_promise(
        self, options: ProtectOptions, tmp_path: Path
    ) -> None:
        """Methods 10.13: exact totals elsewhere.  E00000002 has one claim in all."""
        public = tmp_path / "public.csv"
        public.write_text("area,value\nE00000002,1\nE00000001,10\n")
        known = tmp_path / "known.toml"
        known.write_text('[[file]]\npath = "public.csv"\nmethod = "exact"\n')
        with pytest.raises(Refused) as caught:
            run(options, already_public=(public,), known=known)
        assert {finding.cell for finding in caught.value.findings} >= {"oa E00000002, Total"}  # type: ignore[attr-defined]
        assert not options.out.exists()

    def test_what_is_already_public_and_harmless(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "public.csv").write_text("area,value\nE00000004,0\nE99000001,12\n")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "public.csv"\nmethod = "exact"\n')
        outcome = run(options, already_public=(tmp_path / "public.csv",), known=tmp_path / "known.toml")
        assert outcome.audit is not None and outcome.audit.safe
        assert any("1 rows of areas that are not in the area tree" in notice for notice in outcome.notices)
        assert any("public.csv" in text for text in outcome.audit.checked)

    def test_a_table_of_ours_needs_no_words(self, options: ProtectOptions, tmp_path: Path) -> None:
        run(options)
        outcome = run(options, out=tmp_path / "again.csv", already_public=(options.out,))
        assert outcome.audit is not None and outcome.audit.safe

    def test_public_figures_of_other_people(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "public.csv").write_text("area,value\nE00000003,900\n")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "public.csv"\nmethod = "exact"\n')
        message = refused(options, already_public=(tmp_path / "public.csv",), known=tmp_path / "known.toml")
        # The folder's own name may hold any number.
        told = message.replace(str(tmp_path), "")
        assert "cannot be true of these counts" in told and "12" not in told

    @pytest.mark.parametrize("margins", ["finest", "all"])
    def test_margins_that_are_public_are_attacked_with_it(
        self, options: ProtectOptions, tmp_path: Path, margins: str
    ) -> None:
        """Exact counts of a benefit, and of its men: three women are left."""
        options.counts.write_text("oa,benefit,sex,count\nE00000001,uc,f,3\nE00000001,uc,m,20\n")
        options.categories.write_text("dimension,category\nbenefit,uc\nbenefit,esa\nsex,f\nsex,m\n")  # type: ignore[union-attr]
        (tmp_path / "public.csv").write_text("area,benefit,sex,value\nE00000001,uc,m,20\nE00000001,uc,Total,23\n")
        known = '[[file]]\npath = "public.csv"\nmethod = "exact"\nby = ["benefit", "sex"]\n'
        (tmp_path / "known.toml").write_text(known)
        public = {"already_public": (tmp_path / "public.csv",), "known": tmp_path / "known.toml"}
        changes = {"by": ("benefit", "sex"), "out": tmp_path / "two.csv", "margins": margins}
        run(options, **changes, attack=True)
        with pytest.raises(Refused) as caught:
            run(options, **changes, **public)
        found = {(finding.kind, finding.interval) for finding in caught.value.findings}  # type: ignore[attr-defined]
        assert ("pinned", (3, 3)) in found

    def test_lists_that_nobody_lays_on_each_other_are_refused(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "public.csv").write_text("area,benefit,value\nE00000001,working age,23\n")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "public.csv"\nmethod = "exact"\nby = ["benefit"]\n')
        message = refused(options, already_public=(tmp_path / "public.csv",), known=tmp_path / "known.toml")
        assert "different categories of benefit" in message and "[[recode]]" in message

    def test_a_public_file_that_nobody_describes(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "public.csv").write_text("area,value\nE00000003,900\n")
        assert "nobody says by which method" in refused(options, already_public=(tmp_path / "public.csv",))


class TestOptions:
    def test_a_base_below_min_count_has_no_solution(self, options: ProtectOptions) -> None:
        with pytest.raises(Infeasible) as caught:
            run(options, base=3, min_count=5)
        assert caught.value.demands == ("base = 3", "min_count = 5")
        assert caught.value.exit_code == 3 and not options.out.exists()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"margins": "most"}, "use all or finest"),
            ({"nests": (NEST, "ward")}, "has one level"),
            ({"nests": (NEST, "ward<lad")}, "named 2 times"),
            ({"nests": (NEST, "trade<branch"), "margins": "finest"}, "--margins"),
            ({"nests": ()}, "give --nest"),
            ({"nests": ("oa<<lad",)}, "a level without a name"),
            ({"method": "swapping"}, "not known"),
            ({"method": "magic"}, "not known"),
            ({"profile": "gss5"}, "did you mean gss-5?"),
            ({"base": 1}, "--base"),
            ({"base": 0}, "--base"),
            ({"min_count": 1}, "--min-count"),
            ({"sensitive": ("sex",)}, "no dimension of the table"),
            ({"areas": None}, "--complete"),
            ({"categories": None}, "--complete"),
            ({"out": Path("safe.xlsx")}, ".csv or .parquet"),
            ({"count": "number"}, "'number'"),
        ],
    )
    def test_what_cannot_be_honoured_is_refused(
        self, options: ProtectOptions, changes: dict[str, object], words: str
    ) -> None:
        assert words in refused(options, **changes)
        assert not options.out.exists()

    def test_faults_of_options_are_told_together(self, options: ProtectOptions) -> None:
        with pytest.raises(InputError) as caught:
            run(options, base=0, min_count=0, method="magic", profile="p", sensitive=("x",))
        assert len(caught.value.faults) == 5

    def test_a_key_that_is_too_short(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "short.key").write_bytes(b"short")
        assert "the key has 5 bytes" in refused(options, key_file=tmp_path / "short.key")

    def test_the_key_is_named_and_never_shown(self, options: ProtectOptions) -> None:
        outcome = run(options)
        assert any(str(options.key_file) in notice for notice in outcome.notices)
        assert not any("made-up tables" in notice for notice in outcome.notices)


class TestProfiles:
    def test_a_profile_sets_method_base_and_min_count(self, options: ProtectOptions, tmp_path: Path) -> None:
        outcome = run(options, profile="gss-3", out=tmp_path / "three.csv")
        told = json.loads((tmp_path / "three.csv-metadata.json").read_text())["smallarea"]["method"]
        assert (told["name"], told["base"], told["min_count"]) == ("controlled-rounding", 3, 3)
        assert not any("promises less" in notice for notice in outcome.notices)

    def test_what_is_asked_besides_overrides_an_open_profile(self, options: ProtectOptions, tmp_path: Path) -> None:
        run(options, profile="gss-3", base=10, out=tmp_path / "ten.csv")
        told = json.loads((tmp_path / "ten.csv-metadata.json").read_text())["smallarea"]["method"]
        assert (told["base"], told["min_count"]) == (10, 3)

    def test_a_locked_profile_cannot_be_overridden(self, options: ProtectOptions) -> None:
        assert "profile dwp-oa fixes base at 5" in refused(options, profile="dwp-oa", base=10)

    def test_a_base_below_min_count_has_no_solution(self, options: ProtectOptions) -> None:
        with pytest.raises(Infeasible) as caught:
            run(options, profile="gss-5", base=3)
        assert "base 3 is below min_count 5" in str(caught.value)

    def test_marks_of_a_profile_are_shown_and_attacked(self, options: ProtectOptions, tmp_path: Path) -> None:
        """1 to 7 are marked, other counts go to the nearest 5; a marked count is small by its own mark."""
        outcome = run(options, profile="nhs-hes")
        shown = rows(options.out)
        assert shown["oa", "E00000003", "jsa"] == "10" and shown["oa", "E00000001", "uc"] == ""
        assert any("a figure by itself may prove that a count is small" in notice for notice in outcome.notices)
        with pytest.raises(Refused) as caught:
            run(options, profile="nhs-hes", attack=True, out=tmp_path / "attacked.csv")
        found = [finding.interval for finding in caught.value.outcome.audit.findings if finding.interval]
        assert any(lo >= 1 and hi is not None and hi <= 7 for lo, hi in found)
        assert not (tmp_path / "attacked.csv").exists()


KEYED = """oa,benefit,count,ckey
E00000001,jsa,7,4000
E00000001,uc,3,12
E00000002,uc,1,300
E00000003,jsa,12,95
"""


class TestCellKeys:
    def test_the_same_people_have_the_same_figure_in_every_table(self, options: ProtectOptions, tmp_path: Path) -> None:
        """By record keys a figure hangs on its people alone: the same in a table of totals, whatever the user's key."""
        options.counts.write_text(KEYED)
        run(options, method="cell-key")
        by_benefit = rows(options.out)
        options.counts.write_text("oa,count,ckey\nE00000001,10,4012\nE00000002,1,300\nE00000003,12,95\n")
        outcome = run(options, method="cell-key", by=(), categories=None, out=tmp_path / "totals.csv", key_file=None)
        totals = rows(tmp_path / "totals.csv")
        assert all(by_benefit[level, area, "Total"] == value for (level, area), value in totals.items())
        assert by_benefit["oa", "E00000004", "Total"] == "0"
        assert not any("key" in notice for notice in outcome.notices)

    def test_without_record_keys_it_says_so(self, options: ProtectOptions) -> None:
        notices = " ".join(run(options, method="cell-key", attack=True).notices)
        assert "drawn with the key in" in notices and "may have other noise" in notices

    def test_nobody_has_no_key(self, options: ProtectOptions) -> None:
        options.counts.write_text(KEYED + "E00000003,uc,0,9\nE00000002,jsa,0,\n")
        message = refused(options, method="cell-key")
        assert "beside a count of 0" in message and "no count" in message

    def test_a_ptable_that_gives_small_counts_away_has_no_solution(self, options: ProtectOptions) -> None:
        with pytest.raises(Infeasible) as caught:
            run(
                options, method="cell-key", method_options=MethodOptions(noise_bound=4, noise_variance=6.0), min_count=9
            )
        assert "js = 8 needs D >= 8" in str(caught.value)

    def test_a_ptable_from_a_file(self, options: ProtectOptions, tmp_path: Path) -> None:
        ptable = design_ptable(PTableSpec(bound=10, blocked=4)).ptable
        write_ptable(ptable, tmp_path / "ptable.csv")
        options.counts.write_text(KEYED)
        run(options, method="cell-key")
        designed = options.out.read_text()
        run(options, method="cell-key", method_options=MethodOptions(ptable=tmp_path / "ptable.csv"))
        assert options.out.read_text() == designed

    def test_options_of_cell_key_mean_nothing_else(self, options: ProtectOptions) -> None:
        message = refused(options, method_options=MethodOptions(noise_bound=5, noise_variance=6.0))
        assert message.count("means nothing but for cell-key") == 2

    def test_how_far_noise_reaches_is_never_told(self, options: ProtectOptions, tmp_path: Path) -> None:
        options.counts.write_text(KEYED)
        run(options, method="cell-key", report=tmp_path / "private.json")
        told = json.loads((tmp_path / "safe.csv-metadata.json").read_text())["smallarea"]["method"]
        assert told == {"name": "cell-key", "base": 1, "min_count": 5}
        assert json.loads((tmp_path / "private.json").read_text())["protection"]["bound"] == 10


class TestWriting:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda o: {"out": o.counts},
            lambda o: {"out": o.areas},
            lambda o: {"report": o.key_file},
            lambda o: {"report": o.out},
            lambda o: {"report": o.out.with_name("safe.csv-metadata.json")},
            lambda o: {"out": Path(os.path.relpath(o.counts))},
        ],
    )
    def test_a_path_that_is_in_use(
        self, options: ProtectOptions, spoil: Callable[[ProtectOptions], dict[str, object]]
    ) -> None:
        before = options.counts.read_bytes()
        assert "is also" in refused(options, **spoil(options))
        assert options.counts.read_bytes() == before

    def test_a_hard_link_to_an_input(self, options: ProtectOptions, tmp_path: Path) -> None:
        os.link(options.counts, tmp_path / "linked.csv")
        assert "is also read" in refused(options, out=tmp_path / "linked.csv")

    def test_a_folder_that_is_not_there(self, options: ProtectOptions, tmp_path: Path) -> None:
        assert "make the folder" in refused(options, out=tmp_path / "none" / "safe.csv")

    def test_a_folder_in_place_of_the_file(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "a.csv").mkdir()
        assert "is a folder" in refused(options, out=tmp_path / "a.csv")

    @pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
    def test_an_unwritable_folder(self, options: ProtectOptions, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0o500)
        assert "no right to write" in refused(options, out=tmp_path / "closed" / "safe.csv")

    def test_no_right_is_told_in_words(
        self, options: ProtectOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert "no right to write" in refused(options)

    def test_a_full_disk_leaves_what_was_there(self, options: ProtectOptions, tmp_path: Path) -> None:
        """A limit on the size of files stands for the full disk: the first file fits, the second does not."""
        run(options)
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = options.out.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
        try:
            message = refused(options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "the disk is full" in message
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before

    @pytest.mark.parametrize("failing", ["write_long", "json_text"])
    def test_no_space_left(
        self, options: ProtectOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        before = set(tmp_path.iterdir())
        monkeypatch.setattr(releases.protect.onetable, failing, full)
        assert "the disk is full" in refused(options)
        assert set(tmp_path.iterdir()) == before

    def test_the_second_rename_fails_and_the_first_is_taken_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.csv").write_text("old a")
        replace = os.replace

        def fail_on_b(source: Path, target: Path) -> None:
            if Path(target).name == "b.csv":
                raise OSError(errno.EACCES, "no")
            replace(source, target)

        monkeypatch.setattr(os, "replace", fail_on_b)
        writings = [
            Writing(target=tmp_path / name, write=lambda path: path.write_text("new") and None)
            for name in ("a.csv", "b.csv")
        ]
        with pytest.raises(InputError, match="no right to write"):
            write_whole(writings)
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old a"}


class TestKnown:
    def test_every_fault_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "known.toml"
        path.write_text('[[file]]\nbase = 0\nmarker = "x"\n[[file]]\npath = "a"\nmarkers = { "*" = [4, 1] }\n')
        with pytest.raises(InputError) as caught:
            read_all_known(path)
        assert len(caught.value.faults) == 4

    @pytest.mark.parametrize("text", ["[[file]", "", "file = 3", "[[file]]\npath = 3\n", '[file]\npath="a"', "x = 1"])
    def test_other_toml(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "known.toml"
        path.write_text(text)
        with pytest.raises(InputError):
            read_all_known(path)
