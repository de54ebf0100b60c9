"""`attack`: what can be deduced from published tables, ours or anybody's."""

import json
from pathlib import Path

import pytest
from counts_files import AREAS, COUNTS, NEST, write
from hypothesis import given, settings
from hypothesis import strategies as st
from made_release import rounded_tables, write_release

from common.faults import InputError
from releases.attack.deducing import AttackOptions, attack
from releases.outcome import Outcome
from releases.protect.onetable import ProtectOptions, protect


def run(*files: Path, **options: object) -> Outcome:
    return attack(AttackOptions(files=files, **options))  # type: ignore[arg-type]


def intervals(outcome: Outcome) -> dict[str, tuple[int, int | None] | None]:
    assert outcome.audit is not None
    return {finding.cell: finding.interval for finding in outcome.audit.findings}


def safe(outcome: Outcome) -> bool:
    assert outcome.audit is not None
    return outcome.audit.safe


def protected(folder: Path, name: str = "safe.csv", **changes: object) -> Path:
    paths = write(folder)
    options = {
        "counts": paths["counts"],
        "out": folder / name,
        "nests": (NEST,),
        "by": ("benefit",),
        "areas": paths["areas"],
        "categories": paths["categories"],
        "key_file": paths["key"],
    }
    protect(ProtectOptions(**{**options, **changes}))  # type: ignore[arg-type]
    return folder / name


class TestOurs:
    def test_controlled_rounding_is_safe_by_its_metadata_alone(self, tmp_path: Path) -> None:
        table = protected(tmp_path)
        outcome = run(table)
        assert safe(outcome) and outcome.written == () and outcome.notices == ()

    def test_conventional_rounding_is_not(self, tmp_path: Path) -> None:
        outcome = run(protected(tmp_path, method="conventional-rounding"))
        assert not safe(outcome)
        assert "oa E00000002, Total" in intervals(outcome)

    def test_with_the_truth_only_small_counts_count(self, tmp_path: Path) -> None:
        """E00000004 has nobody: its narrow interval harms nobody, which a reader without the truth cannot know."""
        table = protected(tmp_path, method="conventional-rounding")
        without, with_truth = run(table), run(table, truth=tmp_path / "counts.csv", nests=(NEST,))
        assert "oa E00000004, Total" in intervals(without) and "oa E00000004, Total" not in intervals(with_truth)
        assert "oa E00000002, Total" in intervals(with_truth)

    def test_a_truth_that_the_table_cannot_come_from(self, tmp_path: Path) -> None:
        table = protected(tmp_path)
        (tmp_path / "counts.csv").write_text(COUNTS.replace("jsa,12", "jsa,99"))
        with pytest.raises(InputError) as caught:
            run(table, truth=tmp_path / "counts.csv", nests=(NEST,))
        assert "99" not in str(caught.value).replace(str(tmp_path), "")

    def test_a_truth_of_other_areas(self, tmp_path: Path) -> None:
        table = protected(tmp_path)
        (tmp_path / "counts.csv").write_text(COUNTS + "E00000009,uc,1\n")
        with pytest.raises(InputError, match="an area that is in no list"):
            run(table, truth=tmp_path / "counts.csv", nests=(NEST,))

    def test_figures_that_no_table_could_give_are_a_finding(self, tmp_path: Path) -> None:
        table = protected(tmp_path)
        table.write_text(table.read_text().replace("lad,E08000001,Total,", "lad,E08000001,Total,9"))
        outcome = run(table)
        assert not safe(outcome)
        assert {finding.kind for finding in outcome.audit.findings} == {"contradiction"}  # type: ignore[union-attr]

    def test_the_report_is_private(self, tmp_path: Path) -> None:
        table = protected(tmp_path, method="conventional-rounding")
        outcome = run(table, report=tmp_path / "report.json")
        assert outcome.written == (tmp_path / "report.json",)
        assert (tmp_path / "report.json").stat().st_mode & 0o777 == 0o600
        plain = json.loads((tmp_path / "report.json").read_text())
        assert plain["private"] is True and plain["audit"]["findings"]

    def test_a_stricter_min_count_than_the_table_promises(self, tmp_path: Path) -> None:
        table = protected(tmp_path)
        outcome = run(table, min_count=9)
        assert not safe(outcome)
        assert any("judged by --min-count 9" in notice for notice in outcome.notices)

    def test_a_release_folder(self, tmp_path: Path) -> None:
        write_release(tmp_path / "release", tables=rounded_tables())
        outcome = run(tmp_path / "release")
        assert safe(outcome)
        figures = outcome.audit.figures  # type: ignore[union-attr]
        assert {f"{name}: path" for name in ("benefit", "sex", "totals")} <= set(figures)

    def test_a_folder_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="a folder without tables"):
            run(tmp_path)


def other(folder: Path, text: str, name: str = "table.csv") -> Path:
    (folder / "areas.csv").write_text(AREAS)
    (folder / name).write_text(text)
    return folder / name


class TestOthers:
    def test_v15_nearest_five_gives_its_parts_away(self, tmp_path: Path) -> None:
        """Methods V15: parts shown 0, 0, 0, 0 and a total of 10 by nearest-5 are all exactly 2."""
        (tmp_path / "areas.csv").write_text("oa,lad\n" + "".join(f"E0000000{n},E08000001\n" for n in range(1, 5)))
        text = "area,value\n" + "".join(f"E0000000{n},0\n" for n in range(1, 5)) + "E08000001,10\n"
        (tmp_path / "table.csv").write_text(text)
        outcome = run(
            tmp_path / "table.csv",
            areas=tmp_path / "areas.csv",
            nests=("oa<lad",),
            method="conventional-rounding",
            base=5,
        )
        assert {interval for cell, interval in intervals(outcome).items() if cell.startswith("oa")} == {(2, 2)}

    def test_v1_the_interval_of_suppressed_cells(self, tmp_path: Path) -> None:
        """Methods V1 (tau-ARGUS manual 2.15): rows 7 and 3, columns 6 and 4; the first cell lies in [3, 6]."""
        (tmp_path / "areas.csv").write_text("row,all\nr1,t\nr2,t\n")
        text = "area,k,value\nr1,a,c\nr1,b,c\nr2,a,c\nr2,b,c\nr1,Total,7\nr2,Total,3\nt,a,6\nt,b,4\nt,Total,10\n"
        (tmp_path / "table.csv").write_text(text)
        outcome = run(
            tmp_path / "table.csv",
            areas=tmp_path / "areas.csv",
            nests=("row<all",),
            by=("k",),
            method="suppression",
            min_count=7,
        )
        assert intervals(outcome)["row r1, k=a"] == (3, 6)
        assert intervals(outcome)["row r1, k=b"] == (1, 4)
        assert intervals(outcome)["row r2, k=a"] == (0, 3)

    def test_the_tree_may_come_from_the_truth(self, tmp_path: Path) -> None:
        table = other(tmp_path, "area,value\nE00000001,5\nE00000002,0\nE01000001,5\n")
        (tmp_path / "truth.csv").write_text("oa,lsoa,count\nE00000001,E01000001,3\nE00000002,E01000001,2\n")
        outcome = run(table, truth=tmp_path / "truth.csv", nests=("oa<lsoa",), method="conventional-rounding")
        assert set(intervals(outcome)) == {"oa E00000002, Total"}

    def test_without_any_tree(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="nobody says which areas there are"):
            run(other(tmp_path, "area,value\nE00000001,5\n"), method="exact", nests=(NEST,))

    def test_the_tree_of_another_file_is_used_and_said(self, tmp_path: Path) -> None:
        ours = protected(tmp_path)
        theirs = other(tmp_path, "area,value\nE00000001,10\n", "theirs.csv")
        known = tmp_path / "known.toml"
        known.write_text('[[file]]\npath = "theirs.csv"\nmethod = "exact"\n')
        outcome = run(ours, theirs, known=known)
        assert any("taken from the metadata of safe.csv" in notice for notice in outcome.notices)

    def test_files_of_one_population_are_attacked_together(self, tmp_path: Path) -> None:
        """The exact total of an area with one claim is in the second file alone."""
        ours = protected(tmp_path)
        theirs = other(tmp_path, "area,value\nE00000002,1\n", "theirs.csv")
        known = tmp_path / "known.toml"
        known.write_text('[[file]]\npath = "theirs.csv"\nmethod = "exact"\nareas = "areas.csv"\nnest = "oa<lsoa<lad"\n')
        together = run(ours, theirs, known=known)
        assert "oa E00000002, benefit=uc" in intervals(together)
        known.write_text(known.read_text() + 'population = "others"\n')
        apart = run(ours, theirs, known=known)
        assert {f.table for f in apart.audit.findings} == {"theirs"}  # type: ignore[union-attr]
        assert any("tables of different populations" in text for text in apart.audit.not_checked)  # type: ignore[union-attr]

    def test_a_public_table_bounds_and_is_not_judged(self, tmp_path: Path) -> None:
        ours = protected(tmp_path)
        theirs = other(tmp_path, "area,value\nE00000002,1\n", "theirs.csv")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "theirs.csv"\nmethod = "exact"\n')
        outcome = run(ours, already_public=(theirs,), known=tmp_path / "known.toml")
        assert {finding.table for finding in outcome.audit.findings} == {"safe"}  # type: ignore[union-attr]

    def test_a_category_that_only_one_of_two_files_tells(self, tmp_path: Path) -> None:
        """The second file leaves jsa out: its total is not the count of uc."""
        both = "area,benefit,value\nE00000001,jsa,50\nE00000001,uc,30\nE00000001,Total,80\n"
        one = other(tmp_path, both, "one.csv")
        two = other(tmp_path, "area,benefit,value\nE00000002,uc,30\nE00000002,Total,90\n", "two.csv")
        options = {"areas": tmp_path / "areas.csv", "nests": (NEST,), "by": ("benefit",), "method": "exact"}
        assert safe(run(one, two, **options))

    def test_a_margin_of_another_file_is_attacked_too(self, tmp_path: Path) -> None:
        """Women alone in one file, women and men in another: what is left are the men."""
        one = other(tmp_path, "area,benefit,sex,value\nE00000001,uc,f,50\n", "one.csv")
        two = other(tmp_path, "area,benefit,value\nE00000001,uc,52\n", "two.csv")
        (tmp_path / "categories.csv").write_text("dimension,category\nbenefit,uc\nsex,f\nsex,m\n")
        (tmp_path / "known.toml").write_text(
            '[[file]]\npath = "one.csv"\nby = ["benefit", "sex"]\n[[file]]\npath = "two.csv"\nby = ["benefit"]\n'
        )
        outcome = run(
            one,
            two,
            areas=tmp_path / "areas.csv",
            categories=tmp_path / "categories.csv",
            nests=(NEST,),
            method="exact",
            known=tmp_path / "known.toml",
        )
        assert outcome.audit is not None
        pinned = {finding.cell: finding.interval for finding in outcome.audit.findings if finding.kind == "pinned"}
        assert any("uc, m" in cell and interval == (2, 2) for cell, interval in pinned.items())
        assert any(mend.passes for mend in outcome.mends)

    def test_dimensions_declared_sensitive(self, tmp_path: Path) -> None:
        """All nine people of one area share a benefit."""
        text = "area,benefit,value\nE00000001,uc,9\nE00000001,jsa,0\nE00000001,Total,9\n"
        options = {"areas": tmp_path / "areas.csv", "nests": (NEST,), "by": ("benefit",), "method": "exact"}
        table = other(tmp_path, text)
        assert safe(run(table, **options))
        outcome = run(table, sensitive=("benefit",), **options)
        assert {finding.kind for finding in outcome.audit.findings} == {"group"}  # type: ignore[union-attr]

    def test_faults_of_all_files_at_once(self, tmp_path: Path) -> None:
        one = other(tmp_path, "area,value\nE00000001,-5\n", "one.csv")
        two = other(tmp_path, "area,value\nE00000001,q\n", "two.csv")
        with pytest.raises(InputError) as caught:
            run(one, two, areas=tmp_path / "areas.csv", nests=(NEST,), method="exact")
        assert {Path(fault.file).name for fault in caught.value.faults} == {"one.csv", "two.csv"}

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({}, "nobody says by which method"),
            ({"method": "exact", "nests": (NEST, "a<b")}, "two hierarchies"),
            ({"method": "exact", "base": 0}, "--base"),
            ({"method": "exact", "min_count": 1}, "--min-count"),
            ({"method": "exact", "areas": Path("none.csv")}, "--nest"),
            ({"method": "exact", "truth": Path("none.csv")}, "none.csv: does not exist"),
        ],
    )
    def test_options_that_cannot_be_honoured(self, tmp_path: Path, options: dict[str, object], words: str) -> None:
        with pytest.raises(InputError, match=words):
            run(other(tmp_path, "area,value\nE00000001,5\n"), **options)

    def test_no_file(self) -> None:
        with pytest.raises(InputError):
            run()

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            run(tmp_path / "none.csv", method="exact", nests=(NEST,))


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_corrupted_tables_and_metadata_are_attacked_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    table = protected(folder)
    target = data.draw(st.sampled_from([table, folder / "safe.csv-metadata.json", folder / "counts.csv"]))
    text = target.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        at, cut = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 5))
        piece = data.draw(
            st.sampled_from([b",", b'"', b"\n", b"0", b"-", b"[", b"{", b"\xff", b"Total", b"c", b"1e9", b"99"])
        )
        text = text[:at] + piece + text[at + cut :]
    target.write_bytes(text)
    try:
        outcome = run(table, truth=folder / "counts.csv", nests=(NEST,), areas=folder / "areas.csv")
    except InputError as error:
        assert error.faults
    else:
        assert outcome.audit is not None
