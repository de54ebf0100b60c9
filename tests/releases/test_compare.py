"""`compare`: methods side by side on one table of counts, in a private folder, whole or not at all."""

import csv
import dataclasses
import json
import random
import stat
from pathlib import Path

import numpy as np
import pytest
from counts_files import COUNTS, NEST, WHOLE, write
from small_place import command

import releases.files.privatefolder
import releases.files.wholefiles
from common.faults import Fault, Infeasible, InputError
from releases.compare.comparing import choose_area, worked_area
from releases.compare.sidebyside import CompareOptions, Done, compare
from releases.compare.variants import variant_names
from releases.protect.methods import METHODS
from releases.protect.onetable import ProtectOptions, protect
from releases.rules.methodoptions import MethodOptions
from sdc.tables import Classification, Hierarchy, Table

FILES = ["compare.csv", "compare.html", "compare.json"]
FAST = ("conventional-rounding", "random-rounding")


@pytest.fixture
def options(tmp_path: Path) -> CompareOptions:
    paths = write(tmp_path)
    return CompareOptions(
        counts=paths["counts"],
        out=tmp_path / "compared",
        nests=(NEST,),
        by=("benefit",),
        areas=paths["areas"],
        categories=paths["categories"],
        key_file=paths["key"],
    )


def run(options: CompareOptions, **changes: object) -> Done:
    return compare(dataclasses.replace(options, **changes))  # type: ignore[arg-type]


def refused(options: CompareOptions, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        run(options, **changes)
    return str(caught.value)


def told(options: CompareOptions) -> dict[str, object]:
    plain = json.loads((options.out / "compare.json").read_text(encoding="utf-8"))
    assert isinstance(plain, dict)
    return plain


def by_method(options: CompareOptions) -> dict[str, dict[str, object]]:
    methods = told(options)["methods"]
    assert isinstance(methods, list)
    return {one["method"]: one for one in methods}


class TestWhatIsCompared:
    def test_every_method_and_every_aim(self, options: CompareOptions) -> None:
        done = run(options)
        named = {one.name for one in done.comparison.methods} | {name for name, _ in done.comparison.unfit}
        assert named == set(variant_names()) == {*METHODS, "minimum-distance"}
        methods = by_method(options)
        assert methods["controlled-rounding"]["audit"]["safe"] and methods["controlled-rounding"]["adds_up"]  # type: ignore[index]
        assert not methods["conventional-rounding"]["audit"]["safe"]  # type: ignore[index]
        assert methods["conventional-rounding"]["findings"] > 0  # type: ignore[operator]
        assert methods["minimum-distance"]["parameters"]["aim"] == "minimum-distance"  # type: ignore[index]

    def test_those_named_in_the_order_of_all(self, options: CompareOptions) -> None:
        done = run(options, methods=FAST[::-1])
        assert tuple(one.name for one in done.comparison.methods) == tuple(n for n in variant_names() if n in FAST)

    def test_figures_are_those_that_protect_would_write(self, options: CompareOptions, tmp_path: Path) -> None:
        """With the same key: the row of the worked area is the row of the safe table."""
        done = run(options, methods=("controlled-rounding", "random-rounding"))
        area = done.comparison.worked
        for method in done.comparison.methods:
            out = tmp_path / f"{method.name}.csv"
            protect(
                ProtectOptions(
                    counts=options.counts,
                    out=out,
                    nests=options.nests,
                    by=options.by,
                    areas=options.areas,
                    categories=options.categories,
                    key_file=options.key_file,
                    method=method.name,
                )
            )
            with out.open(newline="") as file:
                rows = [row for row in csv.DictReader(file) if row["area"] == area.code]
            assert [row["benefit"] for row in rows] == list(area.columns)
            assert [row["value"] for row in rows] == list(method.worked)

    def test_measures_by_counting(self, options: CompareOptions) -> None:
        """Nearest rounding to 5 of 7 3 10, 0 1 1, 12 0 12, 0 0 0: errors 2 2 0, 0 1 1, 2 0 2, 0 0 0."""
        run(options, methods=("conventional-rounding",))
        rows = by_method(options)["conventional-rounding"]["utility"]["left out"]  # type: ignore[index]
        (row,) = (one for one in rows if (one["level"], one["category"]) == ("oa", "all cells"))
        assert row["max_absolute_error"] == 2
        assert row["mean_absolute_error"] == pytest.approx(10 / 12)
        assert row["bias"] == pytest.approx((-2 + 2 - 1 - 1 - 2 - 2) / 12)
        assert by_method(options)["conventional-rounding"]["sizes"][0] == {  # type: ignore[index]
            "level": "oa",
            "cells": 12,
            "unchanged": 6,
            "1 to 2": 6,
            "3 to 4": 0,
            "5 to 9": 0,
            "10 or more": 0,
            "hidden": 0,
        }

    def test_suppression_is_measured_with_both_guesses(self, options: CompareOptions) -> None:
        done = run(options, methods=("suppression",), min_count=3)
        (method,) = done.comparison.methods
        hidden = [row["share_hidden"] for row in method.utility["shown"] if row["category"] == "all cells"]
        assert hidden[0] > 0, "something is hidden"
        assert set(method.utility) == {"shown", "midpoint", "margin"}
        assert method.audit.safe
        with (options.out / "compare.csv").open(newline="") as file:
            assert {row["hidden_cells"] for row in csv.DictReader(file)} == {
                "left out",
                "middle of interval",
                "share of margins",
            }

    def test_record_keys_in_the_counts_are_used(self, options: CompareOptions) -> None:
        run(options, methods=("cell-key",))
        before = by_method(options)["cell-key"]["notices"]
        lines = COUNTS.splitlines()
        keyed = [f"{lines[0]},ckey", *(f"{line},{100 + at}" for at, line in enumerate(lines[1:]))]
        options.counts.write_text("\n".join(keyed))
        run(options, methods=("cell-key",))
        assert by_method(options)["cell-key"]["notices"] != before

    def test_what_is_already_public_is_known_to_every_attack(self, options: CompareOptions, tmp_path: Path) -> None:
        """E00000002 has one claim in all, and somebody else has published that."""
        (tmp_path / "public.csv").write_text("area,value\nE00000002,1\nE00000001,10\n")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "public.csv"\nmethod = "exact"\n')
        public = {"already_public": (tmp_path / "public.csv",), "known": tmp_path / "known.toml"}
        assert run(options, methods=("controlled-rounding",)).comparison.methods[0].audit.safe
        (method,) = run(options, methods=("controlled-rounding",), **public).comparison.methods
        assert not method.audit.safe
        assert "oa E00000002, Total" in {finding.cell for finding in method.audit.findings}

    def test_a_profile_sets_its_own_method_and_the_base_of_the_others(self, options: CompareOptions) -> None:
        run(options, profile="gss-3", methods=("controlled-rounding", "random-rounding"))
        methods = by_method(options)
        for name in ("controlled-rounding", "random-rounding"):
            parameters = methods[name]["parameters"]
            assert (parameters["base"], parameters["min_count"]) == (3, 3)  # type: ignore[index]

    def test_a_profile_that_shows_counts_in_bands_does_so_for_its_own_method(self, options: CompareOptions) -> None:
        """nhs-hes: 1 to 7 marked, others to the nearest 5; rounding to 5 cannot hide counts below 8."""
        done = run(options, profile="nhs-hes", methods=("controlled-rounding", "conventional-rounding"))
        assert [name for name, _ in done.comparison.unfit] == ["controlled-rounding"]
        (bands,) = done.comparison.methods
        assert "midpoint" in bands.utility and any(text.startswith("[c] ") for text in bands.worked)

    def test_a_locked_profile_refuses_what_it_fixes(self, options: CompareOptions) -> None:
        assert "fixes base at 5" in refused(options, profile="nhs-hes", base=10)

    def test_rows_of_csv_are_the_figures_of_json(self, options: CompareOptions) -> None:
        run(options)
        with (options.out / "compare.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["method", "hidden_cells", "level", "category", "measure", "value"]
        keyed = {tuple(row.values())[:-1]: row["value"] for row in rows}
        assert len(keyed) == len(rows), "each figure stands once"
        wanted = {
            (name, reading, row["level"], row["category"], measure): str(value)
            for name, method in by_method(options).items()
            for reading, utility in method["utility"].items()  # type: ignore[attr-defined]
            for row in utility
            for measure, value in row.items()
            if measure not in ("level", "category") and value is not None
        }
        assert wanted.items() <= keyed.items()
        assert all("cells with error" in key[-1] for key in keyed.keys() - wanted.keys())

    def test_one_small_area_is_worked_through(self) -> None:
        """Totals 0, 2, 9, 30, 40: those with a small count are 2 and 9, and the median of 2, 9, 30, 40 is 9."""
        tree = Hierarchy(
            levels=("oa", "lad"),
            codes=(np.array(["a", "b", "c", "d", "e"]), np.array(["x"])),
            parents=(np.zeros(5, np.int32),),
        )
        table = Table.from_finest(
            hierarchy=tree,
            classification=Classification(dimensions=("benefit",), categories=(("j",), ("u",))),
            finest=np.array([[0, 0], [2, 0], [3, 6], [15, 15], [20, 20]]),
        )
        assert choose_area(table, 5) == 2
        area = worked_area(table, 2)
        assert (area.level, area.code, area.columns, area.true) == ("oa", "c", ("j", "u", "Total"), (3, 6, 9))
        assert choose_area(table, 2) in (1, 2, 3, 4), "no count is small: any that has a count"


class TestWhatCannotBeUsed:
    def test_a_base_below_min_count_is_told_with_its_reason(self, options: CompareOptions) -> None:
        done = run(options, base=3, methods=("controlled-rounding", *FAST))
        reasons = dict(done.comparison.unfit)
        assert "base" in reasons["controlled-rounding"] and "min_count" in reasons["controlled-rounding"]
        assert [one.name for one in done.comparison.methods] == [
            name for name in variant_names() if name in FAST and name not in reasons
        ]
        assert told(options)["not_compared"]

    def test_nothing_that_can_be_used_is_no_solution(self, options: CompareOptions) -> None:
        with pytest.raises(Infeasible) as caught:
            run(options, base=3, methods=("controlled-rounding",))
        assert caught.value.exit_code == 3 and not options.out.exists()

    def test_one_that_fails_on_the_table_does_not_stop_the_others(
        self, options: CompareOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(asked: object) -> object:
            raise Infeasible("no pattern hides enough")

        monkeypatch.setitem(METHODS, "random-rounding", fail)  # type: ignore[arg-type]
        done = run(options, methods=FAST)
        assert done.comparison.unfit == (("random-rounding", "no pattern hides enough"),)
        assert [one.name for one in done.comparison.methods] == ["conventional-rounding"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"methods": ("magic",)}, "'magic' is not known"),
            ({"method_options": MethodOptions(weights=(1.0, 2.0))}, "2 weights"),
            ({"margins": "most"}, "use all or finest"),
            ({"nests": ()}, "give --nest"),
            ({"base": 1}, "--base"),
            ({"min_count": 1}, "--min-count"),
            ({"profile": "gss5"}, "did you mean gss-5?"),
            ({"sensitive": ("sex",)}, "no dimension of the table"),
            ({"areas": None}, "--complete"),
            ({"method_options": MethodOptions(noise_bound=99)}, "--noise-bound"),
        ],
    )
    def test_what_cannot_be_honoured_is_refused(
        self, options: CompareOptions, changes: dict[str, object], words: str
    ) -> None:
        assert words in refused(options, **changes)
        assert not options.out.exists()

    def test_faults_of_options_are_told_together(self, options: CompareOptions) -> None:
        with pytest.raises(InputError) as caught:
            run(options, base=0, min_count=0, methods=("magic",), profile="p", sensitive=("x",))
        assert len(caught.value.faults) == 5


class TestTheFolder:
    def test_private_and_whole(self, options: CompareOptions) -> None:
        done = run(options, methods=FAST)
        assert sorted(path.name for path in options.out.iterdir()) == FILES
        assert [path.name for path in done.written] == ["compare.html", "compare.csv", "compare.json"]
        assert stat.S_IMODE(options.out.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in options.out.iterdir())
        assert told(options)["private"] is True
        assert "Private: for the statistician&#39;s eyes only" in (options.out / "compare.html").read_text()

    def test_the_same_bytes_again_whatever_the_order_of_rows(self, options: CompareOptions, tmp_path: Path) -> None:
        run(options)
        head, *lines = COUNTS.splitlines()
        random.Random(3).shuffle(lines)
        options.counts.write_text("\r\n".join([head, *lines]))
        (tmp_path / "moved.key").write_bytes(options.key_file.read_bytes())  # type: ignore[union-attr]
        run(options, out=tmp_path / "again", key_file=tmp_path / "moved.key")
        for name in FILES:
            assert (tmp_path / "again" / name).read_bytes() == (options.out / name).read_bytes(), name

    def test_an_earlier_comparison_is_replaced(self, options: CompareOptions) -> None:
        run(options, methods=FAST)
        options.out.chmod(0o755)
        (options.out / ".compare.123.new.html").write_text("left by a run that was killed")
        run(options, methods=FAST[:1])
        assert list(by_method(options)) == [FAST[0]]
        assert sorted(path.name for path in options.out.iterdir()) == FILES
        assert stat.S_IMODE(options.out.stat().st_mode) == 0o700

    def test_an_empty_folder_is_filled(self, options: CompareOptions) -> None:
        options.out.mkdir()
        run(options, methods=FAST[:1])
        assert sorted(path.name for path in options.out.iterdir()) == FILES

    def test_a_folder_that_holds_anything_else_is_refused(self, options: CompareOptions) -> None:
        run(options, methods=FAST[:1])
        (options.out / "notes.txt").write_text("mine")
        assert "holds something else" in refused(options, methods=FAST[:1])
        assert (options.out / "notes.txt").read_text() == "mine"

    def test_files_of_the_same_names_that_are_not_ours_are_refused(self, options: CompareOptions) -> None:
        options.out.mkdir()
        (options.out / "compare.html").write_text("mine")
        assert "holds something else" in refused(options, methods=FAST[:1])
        assert (options.out / "compare.html").read_text() == "mine"

    @pytest.mark.parametrize("inside", [False, True])
    def test_a_release_folder_is_refused_and_what_lies_in_it(
        self, options: CompareOptions, tmp_path: Path, inside: bool
    ) -> None:
        release = tmp_path / "published"
        release.mkdir()
        (release / "manifest.json").write_text('{"format": "smallarea release 1"}')
        message = refused(options, out=release / "private" if inside else release)
        assert "is a release folder, which is public" in message
        assert [path.name for path in release.iterdir()] == ["manifest.json"]

    def test_a_file_or_a_link_in_the_place_of_the_folder_is_refused(
        self, options: CompareOptions, tmp_path: Path
    ) -> None:
        options.out.write_text("mine")
        assert "a file or a link" in refused(options)
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
        assert "a file or a link" in refused(options, out=tmp_path / "link")

    def test_the_folder_of_the_inputs_and_a_missing_parent_are_refused(
        self, options: CompareOptions, tmp_path: Path
    ) -> None:
        assert "holds a file that is read" in refused(options, out=tmp_path)
        assert "is not there" in refused(options, out=tmp_path / "none" / "compared")

    def test_nothing_is_left_where_a_file_cannot_be_written(
        self, options: CompareOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(writings: object) -> tuple[Path, ...]:
            raise InputError([Fault(kind="cannot write", found="the disk is full", mend="make room")])

        monkeypatch.setattr(releases.files.privatefolder, "write_whole", full)
        with pytest.raises(InputError, match="disk is full"):
            run(options, methods=FAST[:1])
        assert not options.out.exists()

    def test_a_comparison_before_stays_where_the_new_one_fails(
        self, options: CompareOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(options, methods=FAST[:1])
        before = {name: (options.out / name).read_bytes() for name in FILES}
        replace, renamed = releases.files.wholefiles.os.replace, []

        def once(source: Path, target: Path) -> None:
            renamed.append(target)
            if len(renamed) == 2:
                raise OSError(28, "No space left on device")
            replace(source, target)

        monkeypatch.setattr(releases.files.wholefiles.os, "replace", once)
        with pytest.raises(InputError, match="disk is full"):
            run(options, methods=FAST)
        assert {path.name: path.read_bytes() for path in options.out.iterdir()} == before


class TestWhatIsSaid:
    def arguments(self, options: CompareOptions, *more: object) -> list[object]:
        named = ["--nest", NEST, "--by", "benefit", "--areas", options.areas, "--categories", options.categories]
        return ["compare", options.counts, "--out", options.out, *named, "--key-file", options.key_file, *more]

    def test_the_command(self, options: CompareOptions) -> None:
        ran = command(*self.arguments(options, "--methods", ",".join(FAST)))
        assert ran.code == 0, ran.err
        assert "conventional-rounding: fails its attack" in ran.out
        assert "Private, for the statistician's eyes only" in ran.out and str(options.out / "compare.html") in ran.out

    def test_json(self, options: CompareOptions) -> None:
        ran = command(
            *self.arguments(options, "--methods", "controlled-rounding,conventional-rounding", "--base", 3, "--json")
        )
        plain = ran.plain
        assert ran.code == plain["exit_code"] == 0 and plain["verdict"] == "compared"
        assert plain["written"] == [str(options.out / name) for name in ("compare.html", "compare.csv", "compare.json")]
        listed = plain["methods"]
        assert isinstance(listed, list)
        assert {"controlled-rounding": "not compared"}.items() <= {
            one["method"]: one["attack"] for one in listed
        }.items()
        assert plain["findings"] == [] and plain["checked"]

    def test_no_figure_measured_on_the_truth_leaves_the_folder(self, options: CompareOptions) -> None:
        """A true count that no rounding gives stands in the folder alone."""
        options.counts.write_text("oa,benefit,count\nE00000001,jsa,73127\nE00000001,uc,3\n")
        ran = command(*self.arguments(options, "--methods", ",".join(FAST), "--json"))
        assert "73,127" in (options.out / "compare.html").read_text()
        # The folder's own name may hold any number.
        said = (ran.out + ran.err).replace(str(options.out), "")
        assert "73127" not in said and "73,127" not in said

    def test_exit_codes(self, options: CompareOptions) -> None:
        assert command(*self.arguments(options, "--methods", "magic")).code == 2
        assert command(*self.arguments(options, "--methods", "controlled-rounding", "--base", 3)).code == 3
        assert not options.out.exists()

    def test_steps_name_their_method(self, options: CompareOptions) -> None:
        steps: list[str] = []

        class Told:
            def step(self, name: str, total: int | None = None) -> None:
                steps.append(name)

            def advance(self, parts: int = 1) -> None:
                """Count nothing."""

        compare(dataclasses.replace(options, methods=FAST), progress=Told())
        assert steps[0] == "reading counts" and steps[-1] == "writing"
        assert all(step.startswith(FAST) for step in steps[1:-1])
        assert {"conventional-rounding: attacking", "random-rounding: measuring utility"} <= set(steps)

    def test_counts_that_name_everything_need_no_lists(self, options: CompareOptions) -> None:
        options.counts.write_text(WHOLE)
        done = run(options, areas=None, categories=None, complete=True, methods=FAST[:1])
        assert done.comparison.levels == (("oa", 3), ("lsoa", 2), ("lad", 1))


class TestOddTables:
    def test_totals_alone(self, options: CompareOptions) -> None:
        options.counts.write_text("oa,count\nE00000001,3\nE00000003,8\n")
        done = run(options, by=(), categories=None)
        assert done.comparison.worked.columns == ("Total",) and done.comparison.worked.true == (3,)
        assert {one.name for one in done.comparison.methods} == set(variant_names())

    def test_nobody_is_counted(self, options: CompareOptions) -> None:
        options.counts.write_text("oa,benefit,count\nE00000001,uc,0\n")
        done = run(options)
        assert done.comparison.worked.true == (0, 0, 0)
        assert all(one.audit.safe for one in done.comparison.methods)
        assert "Passed the attack" in (options.out / "compare.html").read_text()

    def test_one_level_has_no_gaps_between_areas(self, options: CompareOptions) -> None:
        options.counts.write_text("oa,benefit,count\nE00000001,jsa,3\nE00000001,uc,9\n")
        run(options, nests=("oa",), areas=None, complete=True, methods=FAST)
        page = (options.out / "compare.html").read_text()
        assert 'id="chart-errors"' in page and 'id="chart-gaps"' not in page

    def test_of_many_categories_the_first_are_worked_through(self, options: CompareOptions) -> None:
        rows = "".join(f"E00000001,b{at:02d},{at}\n" for at in range(40))
        options.counts.write_text(f"oa,benefit,count\n{rows}")
        done = run(options, categories=None, complete=True, methods=FAST)
        worked = done.comparison.worked
        assert worked.columns == (*(f"b{at:02d}" for at in range(24)), "Total") and worked.left_out == 16
        assert all(len(one.worked) == 25 for one in done.comparison.methods)
        assert "16 more categories are left out" in (options.out / "compare.html").read_text()

    def test_two_dimensions_at_their_finest(self, options: CompareOptions) -> None:
        options.counts.write_text("oa,benefit,sex,count\nE00000001,uc,f,3\nE00000001,uc,m,9\n")
        done = run(options, by=("benefit", "sex"), margins="finest", methods=FAST)
        assert done.comparison.worked.columns == ("jsa / f", "jsa / m", "uc / f", "uc / m", "Total")


class TestSeveralMargins:
    """Every margin of two dimensions, and another nest: tables that are no network."""

    @pytest.fixture
    def crossed(self, options: CompareOptions) -> CompareOptions:
        draw = random.Random(4)
        areas = [line.split(",")[0] for line in (options.areas or Path()).read_text().splitlines()[1:]]
        cells = [(area, benefit, sex) for area in areas for benefit in ("jsa", "uc") for sex in ("f", "m")]
        rows = "".join(f"{','.join(cell)},{int(draw.gammavariate(1.2, 7))}\n" for cell in cells)
        options.counts.write_text(f"oa,benefit,sex,count\n{rows}")
        return dataclasses.replace(options, by=("benefit", "sex"), categories=None, complete=True)

    def test_every_method_is_tried_and_measured(self, crossed: CompareOptions) -> None:
        done = run(crossed, method_options=MethodOptions(steps=2, cells=None))
        assert [one.name for one in done.comparison.methods] == list(METHODS)
        assert done.comparison.unfit[0][0] == "minimum-distance" and "network" in done.comparison.unfit[0][1]
        kept = by_method(crossed)
        assert kept["controlled-rounding"]["adds_up"] and not kept["conventional-rounding"]["adds_up"]
        assert kept["controlled-rounding"]["audit"]["safe"] and kept["suppression"]["audit"]["safe"]  # type: ignore[index]
        assert done.comparison.worked.columns == (
            *("jsa / f", "jsa / m", "jsa / Total", "uc / f", "uc / m", "uc / Total", "Total / f", "Total / m", "Total"),
        )

    def test_measures_by_counting(self, crossed: CompareOptions, tmp_path: Path) -> None:
        """The rows of the private report that `protect` writes hold what the measures are made of."""
        run(crossed, methods=("suppression",))
        (rows,) = [one["utility"]["left out"] for one in by_method(crossed).values()]  # type: ignore[index]
        protect(
            ProtectOptions(
                counts=crossed.counts,
                out=tmp_path / "safe.csv",
                nests=crossed.nests,
                by=crossed.by,
                areas=crossed.areas,
                complete=True,
                method="suppression",
                method_options=MethodOptions(max_hidden=1.0),
                key_file=crossed.key_file,
                report=tmp_path / "report.json",
            )
        )
        table = json.loads((tmp_path / "report.json").read_text())["table"]
        levels = dict.fromkeys(table["area_level"])
        for level in levels:
            here = [at for at, name in enumerate(table["area_level"]) if name == level]
            row = next(row for row in rows if row["level"] == level and row["category"] == "all cells")
            assert row["cells"] == len(here)
            assert row["hidden"] == sum(table["published"][at] is None for at in here)
            assert row["sum_hidden"] == sum(table["true"][at] for at in here if table["published"][at] is None)
            assert row["mean_absolute_error"] in (0, None)
        names = [row["category"] for row in rows if row["level"] == next(iter(levels))]
        assert names == ["jsa, f", "jsa, m", "uc, f", "uc, m", "jsa", "uc", "f", "m", "Total", "all cells"]

    def test_another_nest(self, crossed: CompareOptions, tmp_path: Path) -> None:
        crossed.counts.write_text(
            "oa,trade,branch,count\nE00000001,baker,food,3\nE00000001,mason,building,9\nE00000002,brewer,food,6\n"
        )
        done = run(crossed, nests=(*crossed.nests, "trade<branch"), by=(), methods=FAST)
        assert [one.name for one in done.comparison.methods] == ["conventional-rounding", "random-rounding"]
        assert done.comparison.worked.columns[-2:] == ("food", "Total")
