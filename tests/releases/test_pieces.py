"""Any published tables become pieces of one attack, with what is known of how they relate."""

from pathlib import Path

import pytest
from counts_files import AREAS, NEST, write
from hypothesis import given, settings
from hypothesis import strategies as st
from made_release import rounded_tables, write_release
from pieces_steps import LEVELS, audit, faults, pinned, read, value_at

from common.faults import InputError
from releases.attack.known import Known, read_all_known
from releases.attack.pieces import read_pieces
from releases.attack.said import Defaults
from releases.protect.onetable import ProtectOptions, protect
from sdc.attack.intervals import NO_BOUND
from sdc.attack.jointly import audit_pieces
from sdc.tables import SHOWN, SUPPRESSED


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
