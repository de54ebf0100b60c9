"""Any published tables become pieces of one attack, with what is known of how they relate."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from counts_files import AREAS, NEST, write
from hypothesis import given, settings
from hypothesis import strategies as st
from made_release import rounded_tables, write_release

from common.faults import InputError
from releases.categorylists import REST
from releases.known import Known, read_all_known
from releases.pieces import Read, read_pieces
from releases.protect import ProtectOptions, protect
from releases.said import Defaults
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import AREAS as AREA
from sdc.attack.joint import Flow, Within
from sdc.attack.jointly import audit_pieces
from sdc.attack.pieces import Piece
from sdc.findings import Audit
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED

LEVELS = ("oa", "lsoa", "lad")
TREE = "oa,lsoa,ward,lad\no1,l1,w1,t\no2,l1,w2,t\no3,l2,w2,t\n"


def read(folder: Path, *, known: str = "", truth: Path | None = None, public: Sequence[str] = (), **files: str) -> Read:
    """Read texts as ``<name>.csv`` over the test's areas, as exact figures unless said otherwise."""
    if not (folder / "areas.csv").exists():
        (folder / "areas.csv").write_text(AREAS)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "known.toml").write_text(known)
    told = read_all_known(folder / "known.toml") if known else Known()
    defaults = Defaults(nest=LEVELS, areas=folder / "areas.csv", method="exact")
    names = {name: folder / f"{name}.csv" for name in files}
    attacked = [path for name, path in names.items() if name not in public]
    return read_pieces(attacked, told, defaults, truth=truth, public=[names[name] for name in public])


def audit(found: Read, **options: object) -> Audit:
    return audit_pieces(
        [*found.pieces, *found.public_pieces],
        min_count=found.min_count,
        overlaps=found.overlaps,
        within=found.within,
        flows=found.flows,
        **options,  # type: ignore[arg-type]
    )


def pinned(found: Read) -> dict[str, tuple[int, int | None] | None]:
    """Intervals of the findings of disclosure, by what the cell is called behind the table's name."""
    return {
        finding.cell.partition(": ")[2] or finding.cell: finding.interval
        for finding in audit(found).findings
        if finding.severity == "disclosure"
    }


def faults(folder: Path, **options: object) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read(folder, **options)  # type: ignore[arg-type]
    return [(fault.kind, fault.key or fault.column) for fault in caught.value.faults]


def value_at(piece: Piece, area: str, *codes: str) -> tuple[int, int]:
    """What a piece says of one cell: lo and hi; ``Total`` is the last place of a dimension."""
    levels = [np.flatnonzero(level == area) for level in piece.axes[0].hierarchy.codes]
    level = next(number for number, hits in enumerate(levels) if len(hits))
    place = [int(piece.axes[0].starts[level] + levels[level][0])]
    for axis, code in zip(piece.axes[1:], codes, strict=True):
        every = [*np.concatenate(axis.hierarchy.codes).tolist(), "Total"]
        place.append(every.index(code))
    return int(piece.lo[tuple(place)]), int(piece.hi[tuple(place)])


class TestOurs:
    COUNTS = "oa,benefit,sex,count\nE00000001,jsa,f,7\nE00000001,uc,m,3\nE00000002,uc,f,1\nE00000003,jsa,m,12\n"

    def options(self, folder: Path, text: str = COUNTS, **changes: object) -> ProtectOptions:
        paths = write(folder, counts=text)
        options: dict[str, object] = {
            "counts": paths["counts"],
            "out": folder / "safe.csv",
            "nests": (NEST,),
            "by": ("benefit", "sex"),
            "areas": paths["areas"],
            "categories": paths["categories"],
            "key_file": paths["key"],
        }
        return ProtectOptions(**{**options, **changes})  # type: ignore[arg-type]

    @pytest.mark.parametrize("ending", ["csv", "parquet"])
    def test_a_table_with_every_margin_is_read_back_whole(self, tmp_path: Path, ending: str) -> None:
        protect(self.options(tmp_path, out=tmp_path / f"safe.{ending}"))
        found = read_pieces([tmp_path / f"safe.{ending}"], Known(), Defaults(), truth=tmp_path / "counts.csv")
        (piece,) = found.pieces
        assert [axis.name for axis in piece.axes] == ["oa", "benefit", "sex"]
        assert (piece.markers == SHOWN).all() and found.tables == {} and found.notices == ()
        assert set(piece.margins) == {frozenset(m) for m in [("benefit", "sex"), ("benefit",), ("sex",), ()]}
        assert piece.truth is not None and piece.truth.tolist()[0] == [[7, 0], [0, 3]]
        assert found.said["safe"].method == "controlled-rounding" and found.min_count == 5
        assert audit(found).safe

    def test_a_second_nest(self, tmp_path: Path) -> None:
        text = "oa,soc4,soc3,count\nE00000001,a1,a,7\nE00000001,a2,a,3\nE00000002,b1,b,1\nE00000003,a1,a,12\n"
        changes = {"nests": (NEST, "soc4<soc3"), "by": (), "categories": None, "complete": True}
        protect(self.options(tmp_path, text, **changes))
        found = read_pieces([tmp_path / "safe.csv"], Known(), Defaults(), truth=tmp_path / "counts.csv")
        (piece,) = found.pieces
        assert [axis.hierarchy.levels for axis in piece.axes] == [LEVELS, ("soc4", "soc3")]
        assert (piece.markers == SHOWN).all() and piece.truth is not None and piece.truth[0].tolist() == [7, 3, 0]
        assert audit(found).safe

    def test_a_nest_beside_a_file_that_tells_part_of_its_smallest_level(self, tmp_path: Path) -> None:
        text = "oa,soc4,soc3,count\nE00000001,a1,a,7\nE00000001,a2,a,3\nE00000002,b1,b,1\n"
        changes = {"nests": (NEST, "soc4<soc3"), "by": (), "categories": None, "complete": True}
        protect(self.options(tmp_path, text, **changes))
        (tmp_path / "theirs.csv").write_text("area,soc4,value\nE00000001,a1,7\nE00000001,Total,10\n")
        (tmp_path / "known.toml").write_text('[[file]]\npath = "theirs.csv"\nby = ["soc4"]\nmethod = "exact"\n')
        known = read_all_known(tmp_path / "known.toml")
        found = read_pieces([tmp_path / "safe.csv", tmp_path / "theirs.csv"], known, Defaults(nest=LEVELS))
        assert found.pieces[1].axes[1].hierarchy.codes[0].tolist() == ["a1", "a2", "b1"] and found.overlaps == {}
        assert pinned(found)["oa E00000001, a2"] == (0, 3)

    def test_suppressed_margins(self, tmp_path: Path) -> None:
        protect(self.options(tmp_path, method="suppression"))
        found = read_pieces([tmp_path / "safe.csv"], Known(), Defaults())
        assert (found.pieces[0].markers == SUPPRESSED).any() and audit(found).safe

    def test_a_network_is_kept_for_the_fast_way(self, tmp_path: Path) -> None:
        protect(self.options(tmp_path, margins="finest"))
        found = read_pieces([tmp_path / "safe.csv"], Known(), Defaults(), truth=tmp_path / "counts.csv")
        assert set(found.tables) == {"safe"} and set(found.truths) == {"safe"}
        assert found.truths["safe"].counts[2].ravel().tolist() == [7, 12, 1, 3, 23]
        assert found.pieces[0].dimensions == ("benefit", "sex")

    def test_a_workbook_is_read_from_the_csv_beside_it(self, tmp_path: Path) -> None:
        write_release(tmp_path / "release", tables=rounded_tables())
        found = read_pieces([tmp_path / "release" / "tables" / "benefit.ods"], Known(), Defaults())
        assert any("read from benefit.csv beside it" in notice for notice in found.notices)
        assert (found.pieces[0].markers == SHOWN).all()

    def test_two_releases_are_of_their_own_dates(self, tmp_path: Path) -> None:
        for name, date in (("one", "2026-02-28"), ("two", "2026-05-31")):
            write_release(tmp_path / name, tables=rounded_tables())
            manifest = tmp_path / name / "manifest.json"
            manifest.write_text(manifest.read_text().replace("2026-05-31", date))
        found = read_pieces([tmp_path / "one", tmp_path / "two"], Known(), Defaults())
        assert {piece.measure for piece in found.pieces} == {"date 2026-02-28", "date 2026-05-31"}
        assert {piece.measure for piece in read_pieces([tmp_path / "one"], Known(), Defaults()).pieces} == {""}


class TestMargins:
    """Others' tables with rows for margins of single dimensions."""

    TEXT = (
        "area,sex,age,value\n"
        "E01000001,f,young,c\nE01000001,f,old,c\nE01000001,m,young,c\nE01000001,m,old,c\n"
        "E01000001,f,All,7\nE01000001,m,All,3\nE01000001,All,young,6\nE01000001,All,old,4\nE01000001,All,All,10\n"
    )
    KNOWN = '[[file]]\npath = "one.csv"\nby = ["sex", "age"]\ntotal = "All"\nmin_count = 3\n'

    def test_v1_by_margins_of_both_dimensions(self, tmp_path: Path) -> None:
        """Methods V1: rows 7 and 3, columns 6 and 4; here rows are sexes and columns ages of one area."""
        found = read(tmp_path, known=self.KNOWN, one=self.TEXT)
        (piece,) = found.pieces
        assert set(piece.margins) == {frozenset(m) for m in [("sex", "age"), ("sex",), ("age",), ()]}
        assert value_at(piece, "E01000001", "f", "Total") == (7, 7)
        assert value_at(piece, "E01000001", "f", "old") == (0, NO_BOUND)
        intervals = [one.interval for one in audit_pieces(found.pieces, min_count=7).findings]
        assert {(3, 6), (1, 4), (0, 3)} <= set(intervals)

    def test_only_one_way_margins(self, tmp_path: Path) -> None:
        rows = [row for row in self.TEXT.splitlines() if "c" not in row.split(",")]
        found = read(tmp_path, known=self.KNOWN, one="\n".join(rows) + "\n")
        assert found.pieces[0].margins == (frozenset({"age"}), frozenset({"sex"}), frozenset())

    def test_without_such_rows_it_is_a_network(self, tmp_path: Path) -> None:
        text = "area,sex,age,value\nE01000001,f,old,5\nE01000001,Total,Total,9\n"
        found = read(tmp_path, known='[[file]]\npath = "one.csv"\nby = ["sex", "age"]\n', one=text)
        assert set(found.tables) == {"one"}

    def test_bounds_and_caps_of_cells(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("area,sex,value\nE01000001,f,120\nE00999999,f,3\n")
        known = self.KNOWN + (
            '[[file.bounds]]\narea = "E01000001"\ncategory = { sex = "f", age = "old" }\nlo = 2\nhi = 5\n'
            '[[file.caps]]\npath = "people.csv"\n'
        )
        (piece,) = read(tmp_path, known=known, one=self.TEXT.replace("f,All,7", "f,All,c")).pieces
        assert value_at(piece, "E01000001", "f", "old") == (2, 5)
        assert value_at(piece, "E01000001", "f", "Total") == (0, 120)

    def test_noise_that_is_known(self, tmp_path: Path) -> None:
        text = self.TEXT.replace(",c\n", ",4\n")
        (piece,) = read(tmp_path, known=self.KNOWN + 'method = "cell-key"\nnoise = 2\n', one=text).pieces
        assert value_at(piece, "E01000001", "f", "old") == (2, 6)

    @pytest.mark.parametrize(
        ("row", "kind"),
        [
            ("E01000001,f,young,5", "repeated row"),
            ("E01000001,f,young,q", "no number"),
            ("E01000002,,young,5", "not in the list"),
        ],
    )
    def test_rows_that_cannot_be_used(self, tmp_path: Path, row: str, kind: str) -> None:
        assert kind in [found for found, _ in faults(tmp_path, known=self.KNOWN, one=f"{self.TEXT}{row}\n")]

    def test_a_dimension_called_as_a_level(self, tmp_path: Path) -> None:
        known = '[[file]]\npath = "one.csv"\nby = ["sex", "lad"]\n'
        text = "area,sex,lad,value\nE01000001,f,x,5\nE01000001,f,Total,5\n"
        assert faults(tmp_path, known=known, one=text) == [("two meanings", "lad")]


class TestAreas:
    def two(self, folder: Path, known: str = "") -> Read:
        (folder / "areas.csv").write_text(TREE)
        nests = (
            '[[file]]\npath = "lsoas.csv"\nnest = "lsoa<lad"\nmin_count = 3\n'
            '[[file]]\npath = "wards.csv"\nnest = "ward<lad"\n'
        )
        return read(
            folder,
            known=nests + known,
            lsoas="area,value\nl1,30\nl2,20\nt,50\n",
            wards="area,value\nw1,28\nw2,22\nt,50\n",
        )

    def test_two_geographies_from_one_list_of_areas(self, tmp_path: Path) -> None:
        """What is in the LSOA and not in the ward is two people."""
        found = self.two(tmp_path)
        assert AREA in found.overlaps and any("taken from its rows" in notice for notice in found.notices)
        assert (2, 2) in pinned(found).values()

    def test_two_geographies_from_a_lookup(self, tmp_path: Path) -> None:
        (tmp_path / "lookup.csv").write_text("LSOA code,Ward code,other\nl1,w1,1\nl1,w2,2\nl2,w2,3\n")
        told = '[[overlap]]\ndimension = "area"\npath = "lookup.csv"\ncolumns = ["LSOA code", "Ward code"]\n'
        found = self.two(tmp_path, told)
        assert len(found.overlaps[AREA]) == 3 and not any("taken from its rows" in note for note in found.notices)
        assert (2, 2) in pinned(found).values()

    def test_areas_that_a_lookup_leaves_out_are_said(self, tmp_path: Path) -> None:
        (tmp_path / "lookup.csv").write_text("lsoa,ward\nl1,w1\nl1,w2\n")
        found = self.two(tmp_path, '[[overlap]]\ndimension = "area"\npath = "lookup.csv"\ncolumns = ["lsoa", "ward"]\n')
        assert any("1 areas of lsoa stand in no row of the lookup" in notice for notice in found.notices)
        audit(found)

    def test_a_level_above_one_that_is_in_the_lookup(self, tmp_path: Path) -> None:
        (tmp_path / "lookup.csv").write_text("oa,ward\no1,w1\no2,w2\no3,w2\n")
        known = (
            '[[file]]\npath = "oas.csv"\nnest = "oa<lsoa<lad"\n[[file]]\npath = "lsoas.csv"\nnest = "lsoa<lad"\n'
            '[[file]]\npath = "wards.csv"\nnest = "ward<lad"\n'
            '[[overlap]]\ndimension = "area"\npath = "lookup.csv"\ncolumns = ["oa", "ward"]\n'
        )
        (tmp_path / "areas.csv").write_text(TREE)
        found = read(
            tmp_path, known=known, oas="area,value\no1,c\n", lsoas="area,value\nl1,9\n", wards="area,value\nw1,7\n"
        )
        assert set(found.overlaps[AREA].divisions) == {"oa", "lsoa", "ward"}
        audit(found)

    def test_two_vintages_of_one_level(self, tmp_path: Path) -> None:
        (tmp_path / "old.csv").write_text("lsoa,lad\nl1,t\nl2,t\n")
        (tmp_path / "new.csv").write_text("lsoa,lad\nl1,t\nl3,t\nl4,t\n")
        (tmp_path / "lookup.csv").write_text("lsoa11,lsoa21\nl1,l1\nl2,l3\nl2,l4\n")
        known = (
            '[[file]]\npath = "a.csv"\nnest = "lsoa<lad"\nareas = "old.csv"\nmin_count = 3\n'
            '[[file]]\npath = "b.csv"\nnest = "lsoa<lad"\nareas = "new.csv"\n'
            '[[overlap]]\ndimension = "area"\npath = "lookup.csv"\ncolumns = ["lsoa11", "lsoa21"]\n'
        )
        found = read(tmp_path, known=known, a="area,value\nl1,30\nl2,20\nt,50\n", b="area,value\nl1,c\nl3,18\nl4,c\n")
        assert (2, 2) in pinned(found).values() and "lsoa l1" not in " ".join(pinned(found))

    def test_lookups_in_two_files(self, tmp_path: Path) -> None:
        """Output areas in wards, and in LSOAs: each output area has one row in either."""
        (tmp_path / "lookup.csv").write_text("oa,ward\no1,w1\no2,w2\no3,w2\n")
        (tmp_path / "other.csv").write_text("oa,lsoa\no1,l1\no2,l1\no3,l2\n")
        told = "".join(
            f'[[overlap]]\ndimension = "area"\npath = "{name}.csv"\ncolumns = ["oa", "{level}"]\n'
            for name, level in (("lookup", "ward"), ("other", "lsoa"))
        )
        found = self.two(tmp_path, told)
        assert len(found.overlaps[AREA]) == 3 and (2, 2) in pinned(found).values()

    def test_lookups_that_cannot_be_put_together(self, tmp_path: Path) -> None:
        (tmp_path / "lookup.csv").write_text("lad,ward\nt,w1\nt,w2\n")
        (tmp_path / "other.csv").write_text("lad,lsoa\nt,l1\nt,l2\n")
        told = "".join(
            f'[[overlap]]\ndimension = "area"\npath = "{name}.csv"\ncolumns = ["lad", "{level}"]\n'
            for name, level in (("lookup", "ward"), ("other", "lsoa"))
        )
        with pytest.raises(InputError, match="cannot be put together"):
            self.two(tmp_path, told)

    @pytest.mark.parametrize(
        ("columns", "kind"),
        [('["lsoa", "nowhere"]', "missing column"), ('["lsoa", "lad"]', "overlap"), ('["lsoa"]', "too_short")],
    )
    def test_lookups_that_do_not_do(self, tmp_path: Path, columns: str, kind: str) -> None:
        (tmp_path / "lookup.csv").write_text("lsoa,lad\nl1,t\nl2,t\n")
        told = f'[[overlap]]\ndimension = "area"\npath = "lookup.csv"\ncolumns = {columns}\n'
        with pytest.raises(InputError) as caught:
            self.two(tmp_path, told)
        assert [fault.kind for fault in caught.value.faults] == [kind]


class TestCategories:
    AREA = "area,age,value\nE01000001,"

    def ages(self, folder: Path, first: dict[str, str], second: dict[str, str], more: str = "") -> Read:
        known = (
            '[[file]]\npath = "one.csv"\nby = ["age"]\nmin_count = 3\n[[file]]\npath = "two.csv"\nby = ["age"]\n' + more
        )
        one, two = (
            "area,age,value\n" + "".join(f"E01000001,{age},{value}\n" for age, value in ages.items())
            for ages in (first, second)
        )
        return read(folder, known=known, one=one, two=two)

    def test_v11_age_bands_are_laid_on_each_other_by_their_years(self, tmp_path: Path) -> None:
        """Methods V11: males under 20 = 6, 20-39 = 9 against under 25 = 7, 25-39 = 8: one aged 20 to 24."""
        found = self.ages(tmp_path, {"under 20": "6", "20-39": "9"}, {"under 25": "7", "25-39": "8"})
        assert any("age bands of one.csv, two.csv are laid on each other by their years" in n for n in found.notices)
        assert (1, 1) in pinned(found).values()

    def test_v11_by_a_recode(self, tmp_path: Path) -> None:
        told = '[[recode]]\ndimension = "age"\n[recode.of]\n"young" = ["child", "teen"]\n"grown" = ["adult"]\n'
        found = self.ages(tmp_path, {"young": "9", "grown": "40"}, {"child": "8", "teen": "c", "adult": "40"}, told)
        assert (1, 1) in pinned(found).values()

    def test_v11_by_a_lookup(self, tmp_path: Path) -> None:
        (tmp_path / "bands.csv").write_text("a,b\nA1,B1\nA2,B1\nA2,B2\n")
        told = '[[overlap]]\ndimension = "age"\npath = "bands.csv"\ncolumns = ["a", "b"]\n'
        found = self.ages(tmp_path, {"A1": "6", "A2": "9"}, {"B1": "7", "B2": "8"}, told)
        assert (1, 1) in pinned(found).values()

    def test_dimensions_of_other_names(self, tmp_path: Path) -> None:
        known = (
            '[[file]]\npath = "one.csv"\nby = ["age"]\nmin_count = 3\n'
            '[[file]]\npath = "two.csv"\nby = ["Age group"]\n[file.dimensions]\n"Age group" = "age"\n'
        )
        two = "area,Age group,value\nE01000001,under 25,7\nE01000001,25-39,8\n"
        one = "area,age,value\nE01000001,under 20,6\nE01000001,20-39,9\n"
        assert (1, 1) in pinned(read(tmp_path, known=known, one=one, two=two)).values()

    @pytest.mark.parametrize("names", ['"Sex" = "age"', '"Age group" = "Sex"'])
    def test_names_that_dimensions_cannot_have(self, tmp_path: Path, names: str) -> None:
        known = f'[[file]]\npath = "two.csv"\nby = ["Age group", "Sex"]\n[file.dimensions]\n{names}\n'
        known = known if 'Sex" =' not in names else known.replace(', "Sex"', "")
        text = "area,Age group,Sex,value\nE01000001,under 25,f,7\n"
        assert ("dimension", "file.dimensions") in faults(tmp_path, known=known, two=text)

    def test_bands_that_one_file_leaves_out_are_a_rest_of_it(self, tmp_path: Path) -> None:
        """The first file tells one band and the total: the total is not that band."""
        found = self.ages(tmp_path, {"16-24": "9", "Total": "20"}, {"16-17": "c", "18-24": "c", "25+": "11"})
        assert found.pieces[0].axes[1].hierarchy.codes[0].tolist() == [REST, "16-24"]
        assert (found.pieces[0].markers[:, 0] == NOT_PUBLISHED).all()
        assert pinned(found) == {}

    def test_a_list_that_is_part_of_another_is_that_other(self, tmp_path: Path) -> None:
        found = self.ages(tmp_path, {"a": "9", "Total": "20"}, {"a": "9", "b": "11"})
        assert found.overlaps == {} and found.pieces[0].axes[1].hierarchy.codes[0].tolist() == ["a", "b"]

    def test_lists_of_which_nobody_knows_stay_what_they_are(self, tmp_path: Path) -> None:
        found = self.ages(tmp_path, {"young": "9", "old": "20"}, {"red": "9", "blue": "20"})
        assert found.overlaps == {} and found.pieces[0].axes[1].hierarchy.codes[0].tolist() == ["old", "young"]
        assert any("how categories of the files lie on each other is not known" in note for note in found.notices)
        assert any("how the categories of age lie on each other" in one for one in audit(found).not_checked)

    def test_bands_of_one_file_that_overlap(self, tmp_path: Path) -> None:
        known = '[[file]]\npath = "one.csv"\nby = ["age"]\n'
        text = "area,age,value\nE01000001,16-24,9\nE01000001,16-17,2\n"
        assert faults(tmp_path, known=known, one=text) == [("overlapping categories", "age")]

    def test_a_truth_in_finer_bands_is_added_up(self, tmp_path: Path) -> None:
        (tmp_path / "truth.csv").write_text("oa,age,count\nE00000001,16-17,2\nE00000001,18-24,3\nE00000002,25+,4\n")
        known = '[[file]]\npath = "one.csv"\nby = ["age"]\n'
        text = "area,age,value\nE00000001,16-24,5\nE00000001,25+,0\n"
        found = read(tmp_path, known=known, truth=tmp_path / "truth.csv", one=text)
        assert found.truths["one"].counts[0].tolist() == [[5, 0, 5], [0, 4, 4], [0, 0, 0], [0, 0, 0]]

    def test_a_truth_of_other_categories_is_not_used(self, tmp_path: Path) -> None:
        (tmp_path / "truth.csv").write_text("oa,colour,count\nE00000001,red,2\n")
        known = '[[file]]\npath = "one.csv"\nby = ["colour"]\n'
        found = read(tmp_path, known=known, truth=tmp_path / "truth.csv", one="area,colour,value\nE00000001,warm,5\n")
        assert found.truths == {} and any("are not known to make up its own" in note for note in found.notices)

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ('[[recode]]\ndimension = "wage"\n[recode.of]\n"a" = ["b"]\n', "relation"),
            ('[[recode]]\ndimension = "age"\n[recode.of]\n"a" = ["q"]\n', "recode"),
            ('[[recode]]\ndimension = "age"\n[recode.of]\n"a" = ["b"]\n"b" = ["a"]\n', "recode"),
            ('[[recode]]\ndimension = "age"\n[recode.of]\n"a" = []\n', "too_short"),
        ],
    )
    def test_recodes_that_do_not_do(self, tmp_path: Path, told: str, kind: str) -> None:
        with pytest.raises(InputError) as caught:
            self.ages(tmp_path, {"a": "9", "c": "1"}, {"b": "9", "d": "2"}, told)
        assert {fault.kind for fault in caught.value.faults} == {kind}


class TestMeasures:
    def test_what_is_said_to_differ_is_not_the_same(self, tmp_path: Path) -> None:
        known = (
            '[[file]]\npath = "one.csv"\nmeasure = "claims"\ndate = 2026-05-31\n'
            '[[file]]\npath = "two.csv"\nmeasure = "claims"\ndate = "2026-05-31"\nedition = 2\n'
        )
        found = read(tmp_path, known=known, one="area,value\nE01000001,9\n", two="area,value\nE01000001,8\n")
        assert [piece.measure for piece in found.pieces] == [
            "measure claims, date 2026-05-31",
            "measure claims, date 2026-05-31, edition 2",
        ]
        assert any("edition is said of some files and not of one.csv" in notice for notice in found.notices)

    def test_people_within_claims(self, tmp_path: Path) -> None:
        known = (
            '[[file]]\npath = "one.csv"\nby = ["benefit"]\nmeasure = "claims"\nmin_count = 4\n'
            '[[file]]\npath = "two.csv"\nmeasure = "people"\n'
            '[[within]]\nparts = "claims"\nwhole = "people"\nby = "benefit"\n'
        )
        one = "area,benefit,value\nE00000001,jsa,2\nE00000001,uc,c\n"
        found = read(tmp_path, known=known, one=one, two="area,value\nE00000001,3\n")
        assert found.within == (Within(parts="measure claims", whole="measure people", by="benefit"),)
        assert pinned(found)["oa E00000001, uc"] == (1, 3)

    def test_flows_by_path_and_by_name(self, tmp_path: Path) -> None:
        known = "".join(
            f'[[file]]\npath = "{name}.csv"\nmeasure = "{measure}"\n{date}min_count = 3\n'
            for name, measure, date in (
                ("old", "stock", 'date = "2026-02"\n'),
                ("new", "stock", 'date = "2026-05"\n'),
                ("on", "starts", 'date = "2026-05"\n'),
                ("off", "ends", 'date = "2026-05"\n'),
            )
        )
        flow = '[[flow]]\nbefore = "old.csv"\nafter = "./new.csv"\non = "starts"\noff = "ends"\n'
        figures = {"old": 50, "new": 51, "on": 3, "off": "c"}
        texts = {name: f"area,value\nE00000001,{figure}\n" for name, figure in figures.items()}
        found = read(tmp_path, known=known + flow, **texts)
        assert found.flows == (
            Flow(
                before="measure stock, date 2026-02",
                after="measure stock, date 2026-05",
                on="measure starts, date 2026-05",
                off="measure ends, date 2026-05",
            ),
        )
        assert pinned(found)["oa E00000001"] == (2, 2)

    @pytest.mark.parametrize(
        ("told", "key"),
        [
            ('[[within]]\nparts = "claims"\nwhole = "nobody"\nby = "benefit"\n', "within.1.whole"),
            ('[[within]]\nparts = "claims"\nwhole = "claims"\nby = "sex"\n', "within.1.by"),
            ('[[flow]]\nbefore = "claims"\nafter = "one.csv"\non = "none"\noff = "claims"\n', "flow.1.on"),
            ('[[flow]]\nbefore = "claims"\nafter = "claims"\non = "claims"\noff = "claims"\n', "flow.1"),
        ],
    )
    def test_relations_of_what_no_file_counts(self, tmp_path: Path, told: str, key: str) -> None:
        known = '[[file]]\npath = "one.csv"\nby = ["benefit"]\nmeasure = "claims"\n' + told
        one = "area,benefit,value\nE00000001,jsa,2\n"
        assert key in [found for _, found in faults(tmp_path, known=known, one=one)]

    def test_claims_and_people_of_one_release_need_no_telling(self, tmp_path: Path) -> None:
        write_release(tmp_path / "release", tables=rounded_tables())
        for name, counts in (("benefit", "claims"), ("sex", "people"), ("totals", "people")):
            path = tmp_path / "release" / "tables" / f"{name}.csv-metadata.json"
            plain = json.loads(path.read_text())
            plain["notes"][0]["smallarea"]["population"] = counts
            path.write_text(json.dumps(plain))
        found = read_pieces([tmp_path / "release"], Known(), Defaults())
        assert found.within == (Within(parts="population claims", whole="population people", by="benefit"),)
        assert any("at most the people" in notice for notice in found.notices)

    def test_a_truth_of_one_file(self, tmp_path: Path) -> None:
        (tmp_path / "then.csv").write_text("oa,count\nE00000001,4\n")
        (tmp_path / "now.csv").write_text("oa,count\nE00000001,5\n")
        known = '[[file]]\npath = "old.csv"\ndate = "2026-02"\ntruth = "then.csv"\n[[file]]\npath = "new.csv"\ndate = "2026-05"\n'
        texts = {"old": "area,value\nE00000001,4\n", "new": "area,value\nE00000001,5\n"}
        found = read(tmp_path, known=known, truth=tmp_path / "now.csv", **texts)
        assert [table.counts[0][0, 0] for table in found.truths.values()] == [4, 5]


class TestProportions:
    COUNTS = '[[file]]\npath = "one.csv"\nby = ["sex"]\nmin_count = 3\nmethod = "suppression"\n'

    def test_v19_a_percentage_of_a_known_denominator_pins_the_count(self, tmp_path: Path) -> None:
        """Methods V19: 14.3 % at one decimal of 7 is 1, and 12.5 % of 40 is 5."""
        known = self.COUNTS + '[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        one = (
            "area,sex,value\nE00000001,f,c\nE00000001,m,c\nE00000001,Total,7\n"
            "E00000002,f,c\nE00000002,m,c\nE00000002,Total,40\n"
        )
        found = read(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,14.3\nE00000002,f,12.5%\n")
        piece = found.pieces[1]
        assert (piece.markers == NOT_PUBLISHED).all() and piece.measure == found.pieces[0].measure
        assert value_at(piece, "E00000001", "f") == (1, 1) and value_at(piece, "E00000002", "f") == (5, 5)
        assert value_at(piece, "E00000001", "m") == (0, NO_BOUND)
        assert pinned(found)["oa E00000001, f"] == (1, 1)

    def test_what_is_said_of_the_counts_holds_for_their_percentages(self, tmp_path: Path) -> None:
        known = (
            '[[file]]\npath = "one.csv"\nby = ["Sex"]\nmeasure = "claims"\ndate = "2026-05"\nmin_count = 3\n'
            '[file.dimensions]\n"Sex" = "sex"\n'
            '[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        )
        one, two = (
            "area,Sex,value\nE00000001,f,c\nE00000001,m,c\nE00000001,Total,7\n",
            "area,Sex,value\nE00000001,f,14.3\n",
        )
        found = read(tmp_path, known=known, one=one, two=two)
        assert {piece.measure for piece in found.pieces} == {"measure claims, date 2026-05"}
        assert pinned(found)["oa E00000001, f"] == (1, 1)

    def test_v19_of_four_thousand(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("area,value\nE00000001,4000\n")
        known = '[[file]]\npath = "two.csv"\nkind = "percentages"\ndenominator = "people.csv"\n'
        found = read(tmp_path, known=known, two="area,value\nE00000001,12.5\n")
        assert value_at(found.pieces[0], "E00000001") == (498, 502)
        assert any("people.csv: its figures are taken to be exact" in notice for notice in found.notices)

    def test_rates_of_a_rounded_denominator(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("area,value\nE00000001,100\n")
        known = (
            '[[file]]\npath = "two.csv"\nkind = "rates"\nper = 1000\ndenominator = "people.csv"\n'
            '[[file]]\npath = "people.csv"\nmethod = "conventional-rounding"\nbase = 5\n'
        )
        found = read(tmp_path, known=known, two="area,value\nE00000001,20.4\n")
        assert value_at(found.pieces[0], "E00000001") == (2, 2)

    def test_a_percentage_and_its_count_pin_the_denominator(self, tmp_path: Path) -> None:
        known = self.COUNTS + '[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        one = "area,sex,value\nE00000001,f,1\nE00000001,m,c\nE00000001,Total,c\n"
        found = read(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,33.3\n")
        assert value_at(found.pieces[2], "E00000001", "Total") == (3, 3)
        assert pinned(found)["oa E00000001, m"] == (2, 2)

    def test_percentages_worked_out_from_rounded_counts(self, tmp_path: Path) -> None:
        """NHS rules: both parts are rounded first, so that 25.0 % of 20 is a count shown as 5."""
        known = (
            self.COUNTS.replace("suppression", "conventional-rounding")
            + 'base = 5\n[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
            'method = "conventional-rounding"\nbase = 5\n'
        )
        one = "area,sex,value\nE00000001,f,c\nE00000001,Total,20\n"
        found = read(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,25.0\n")
        assert value_at(found.pieces[1], "E00000001", "f") == (3, 7)

    def test_v8_means_give_noisy_counts_away(self, tmp_path: Path) -> None:
        """Methods V8: counts 9, 14, 19 with noise of at most 2 and means 11.25, 7.9167, 9.25 are 8, 12, 20."""
        known = (
            '[[file]]\npath = "one.csv"\nby = ["sex"]\nmethod = "cell-key"\nnoise = 2\n'
            '[[file]]\npath = "two.csv"\nkind = "means"\nof = "one.csv"\nsum_decimals = 0\ndecimals = 4\n'
        )
        one = "area,sex,value\nE00000001,f,9\nE00000001,m,14\nE00000001,Total,19\n"
        two = "area,sex,value\nE00000001,f,11.25\nE00000001,m,7.9167\nE00000001,Total,9.25\n"
        piece = read(tmp_path, known=known, one=one, two=two).pieces[1]
        assert [value_at(piece, "E00000001", sex) for sex in ("f", "m", "Total")] == [(8, 8), (12, 12), (20, 20)]

    def test_a_denominator_that_is_attacked_too(self, tmp_path: Path) -> None:
        known = (
            '[[file]]\npath = "one.csv"\nmeasure = "claims"\nmin_count = 3\n[[file]]\npath = "all.csv"\nmeasure = "people"\n'
            '[[file]]\npath = "two.csv"\nkind = "rates"\nper = 100\nof = "one.csv"\ndenominator = "all.csv"\n'
        )
        one, people, two = (f"area,value\nE00000001,{value}\n" for value in ("1", "c", "50.0"))
        found = read(tmp_path, known=known, one=one, all=people, two=two)
        assert [piece.measure for piece in found.pieces] == [
            "measure claims",
            "measure people",
            "measure claims",
            "measure people",
        ]
        assert pinned(found)["oa E00000001"] == (2, 2)

    def test_a_percentage_that_no_count_gives_is_a_contradiction(self, tmp_path: Path) -> None:
        known = self.COUNTS + '[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        one = "area,sex,value\nE00000001,f,2\nE00000001,Total,7\n"
        found = audit(read(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,14.3\n"))
        assert "contradiction" in {finding.severity for finding in found.findings}

    def test_decimals_of_a_parquet_file(self, tmp_path: Path) -> None:
        table = pa.table({"area": ["E00000001", "E00000002"], "sex": ["f", "f"], "value": [14.3, None]})
        pq.write_table(table.append_column("marker", [["", "c"]]), tmp_path / "two.parquet")
        (tmp_path / "one.csv").write_text("area,sex,value\nE00000001,f,c\nE00000001,Total,7\n")
        (tmp_path / "areas.csv").write_text(AREAS)
        told = self.COUNTS + '[[file]]\npath = "two.parquet"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        (tmp_path / "known.toml").write_text(told)
        found = read_pieces(
            [tmp_path / "one.csv", tmp_path / "two.parquet"],
            read_all_known(tmp_path / "known.toml"),
            Defaults(nest=LEVELS, areas=tmp_path / "areas.csv"),
        )
        assert value_at(found.pieces[1], "E00000001", "f") == (1, 1)

    def test_markers_say_nothing(self, tmp_path: Path) -> None:
        known = self.COUNTS + '[[file]]\npath = "two.csv"\nkind = "percentages"\nof = "one.csv"\nshare_of = "sex"\n'
        one = "area,sex,value\nE00000001,f,c\nE00000001,Total,7\n"
        piece = read(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,[c]\n").pieces[1]
        assert value_at(piece, "E00000001", "f") == (0, NO_BOUND)

    @pytest.mark.parametrize(
        ("told", "key"),
        [
            ('kind = "percentages"\n', "file.2"),
            ('kind = "means"\nof = "one.csv"\n', "file.2"),
            ("decimals = 1\n", "file.2"),
            ('kind = "percentages"\nof = "none.csv"\nshare_of = "sex"\n', "of"),
            ('kind = "percentages"\nof = "one.csv"\nshare_of = "age"\n', "share_of"),
            ('kind = "rates"\nof = "one.csv"\ndenominator = "one.csv"\nper = 1500\n', "per"),
            ('kind = "percentages"\nof = "one.csv"\nshare_of = "sex"\ndecimals = 0\n', "value"),
        ],
    )
    def test_kinds_that_do_not_do(self, tmp_path: Path, told: str, key: str) -> None:
        known = self.COUNTS + f'[[file]]\npath = "two.csv"\n{told}'
        one = "area,sex,value\nE00000001,f,c\nE00000001,Total,7\n"
        found = faults(tmp_path, known=known, one=one, two="area,sex,value\nE00000001,f,14.3\n")
        assert key in [where for _, where in found]


def test_public_files_are_pieces_apart(tmp_path: Path) -> None:
    found = read(tmp_path, public=["two"], one="area,value\nE01000001,c\n", two="area,value\nE01000001,9\n")
    assert [piece.name for piece in found.pieces] == ["one"] and [piece.name for piece in found.public_pieces] == [
        "two"
    ]
    assert set(found.tables) == {"one"} and len(found.public) == 1


def test_faults_of_all_files_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        known='[[within]]\nparts = "a"\nwhole = "b"\nby = "c"\n',
        one="area,value\nE01000001,q\n",
        two="area,value\nE01000001,-1\n",
    )
    assert sorted(kind for kind, _ in found) == ["no number", "no number", "relation", "relation"]


FUZZED = {
    "known.toml": (
        '[[file]]\npath = "one.csv"\nby = ["benefit", "age"]\nmeasure = "claims"\nmin_count = 3\n'
        '[[file]]\npath = "two.csv"\nby = ["age"]\nmeasure = "people"\nmethod = "conventional-rounding"\nbase = 5\n'
        '[[file]]\npath = "three.csv"\nkind = "percentages"\nof = "two.csv"\nshare_of = "age"\n'
        '[[overlap]]\ndimension = "benefit"\npath = "lookup.csv"\ncolumns = ["a", "b"]\n'
        '[[recode]]\ndimension = "age"\n[recode.of]\n"16-24" = ["16-17", "18-24"]\n'
        '[[within]]\nparts = "claims"\nwhole = "people"\nby = "benefit"\n'
    ),
    "one.csv": (
        "area,benefit,age,value\nE00000001,uc,16-24,<8\nE00000001,uc,Total,15\nE00000001,jsa,16-24,*\n"
        "E01000001,Total,25+,5 to 9\nE08000001,Total,Total,15\n"
    ),
    "two.csv": "area,age,value,marker\nE00000001,16-17,5,\nE00000001,18-24,,c\nE00000001,25+,10,\nE00000001,Total,15,\n",
    "three.csv": "area,age,value\nE00000001,16-17,33.3\nE00000001,25+,[c]\n",
    "lookup.csv": "a,b\nuc,X\njsa,X\n",
    "areas.csv": AREAS,
    "truth.csv": "oa,benefit,age,count\nE00000001,uc,16-17,5\nE00000001,uc,18-24,1\nE00000001,uc,25+,9\n",
}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_odd_files_are_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    texts = {name: text.encode() for name, text in FUZZED.items()}
    for _ in range(data.draw(st.integers(0, 3))):
        name = data.draw(st.sampled_from(sorted(texts)))
        text = texts[name]
        at, cut = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 6))
        odd = [
            b",",
            b'"',
            b"\n",
            b"0",
            b"-",
            b"[",
            b"]",
            b"=",
            b"\xff",
            b"\0",
            b"Total",
            b"c",
            b"1e9",
            b"99-1",
            b"24",
            b"%",
            b" ",
        ]
        texts[name] = text[:at] + data.draw(st.sampled_from(odd)) + text[at + cut :]
    for name, content in texts.items():
        (folder / name).write_bytes(content)
    paths = [folder / f"{name}.csv" for name in ("one", "two", "three")]
    defaults = Defaults(nest=LEVELS, areas=folder / "areas.csv", method="exact")
    try:
        found = read_pieces(paths, read_all_known(folder / "known.toml"), defaults, truth=folder / "truth.csv")
    except InputError as error:
        assert error.faults and all(fault.found and fault.mend for fault in error.faults)
        return
    try:
        audit(found)
    except InputError as error:  # a truth that the tables do not allow
        assert error.faults
