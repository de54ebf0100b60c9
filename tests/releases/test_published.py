"""Published tables read back: ours, and those of other producers in their own columns and markers."""

from pathlib import Path

import numpy as np
import pytest
from counts_files import AREAS, write

from common.faults import InputError
from releases.attack.known import find_known, read_all_known
from releases.attack.publicblock import read_told
from releases.attack.published import Published, lay_out, open_published
from releases.attack.said import Defaults, gather, method_of
from releases.counts.nests import read_tree
from releases.protect.onetable import ProtectOptions, protect
from sdc.attack.intervals import NO_BOUND
from sdc.tables import LOW, NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, STRUCTURAL, SUPPRESSED

LEVELS = ("oa", "lsoa", "lad")


def read(folder: Path, text: str, *, known: str = "", by: tuple[str, ...] = (), **said: object) -> Published:
    """Read one table of somebody's over the test's areas; exact unless said otherwise."""
    (folder / "table.csv").write_text(text)
    (folder / "areas.csv").write_text(AREAS)
    entries = ()
    if known:
        (folder / "known.toml").write_text(f'[[file]]\npath = "table.csv"\n{known}')
        entries = read_all_known(folder / "known.toml").file
    defaults = Defaults(nest=LEVELS, by=by, **{"method": "exact", **said})  # type: ignore[arg-type]
    facts = gather(folder / "table.csv", entries, defaults)
    opened = open_published(facts)
    return lay_out(opened, read_tree(folder / "areas.csv", LEVELS), opened.categories, method_of(facts, 5))


def refused(folder: Path, text: str, **options: object) -> list[tuple[str, int | None]]:
    with pytest.raises(InputError) as caught:
        read(folder, text, **options)  # type: ignore[arg-type]
    return [(fault.kind, fault.row) for fault in caught.value.faults]


class TestOurs:
    @pytest.mark.parametrize("ending", ["csv", "parquet"])
    def test_what_protect_writes_is_read_back_whole(self, tmp_path: Path, ending: str) -> None:
        paths = write(tmp_path)
        out = tmp_path / f"safe.{ending}"
        protect(
            ProtectOptions(
                counts=paths["counts"],
                out=out,
                nests=("oa<lsoa<lad",),
                by=("benefit",),
                areas=paths["areas"],
                categories=paths["categories"],
                key_file=paths["key"],
            )
        )
        facts = gather(out, (), Defaults())
        assert facts.told is not None
        published = lay_out(open_published(facts), facts.told.hierarchy, {}, method_of(facts, 5))
        assert facts.method == "controlled-rounding" and facts.base == 5 and facts.min_count == 5
        assert all((markers == SHOWN).all() for markers in published.safe.markers)
        assert published.safe.values[2].tolist() == [[values.sum() for values in published.safe.values[0].T]]
        assert published.known is None and published.notices == ()

    @pytest.mark.parametrize(
        "text",
        ["{", "[]", '{"smallarea": {}}', '{"smallarea": {"form": 2}}', '{"smallarea": {"form": 1, "nests": [1]}}'],
    )
    def test_metadata_that_cannot_be_used(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "t.csv-metadata.json").write_text(text)
        if text == "[]":
            assert read_told(tmp_path / "t.csv") is None
        else:
            with pytest.raises(InputError):
                read_told(tmp_path / "t.csv")

    def test_a_parent_that_is_not_there(self, tmp_path: Path) -> None:
        block = (
            '{"smallarea": {"form": 1, "method": {"name": "exact", "base": 1, "min_count": 5}, "dimensions": [], '
            '"categories": [], "total": "Total", "nests": [{"level_column": "area_level", "column": "area", "tree": '
            '[{"level": "oa", "codes": ["a"], "parents": [4294967296]}, {"level": "lad", "codes": ["b"]}]}]}}'
        )
        (tmp_path / "t.csv-metadata.json").write_text(block)
        with pytest.raises(InputError):
            read_told(tmp_path / "t.csv")


class TestOthers:
    def test_areas_of_any_level_in_one_column(self, tmp_path: Path) -> None:
        """A cell of the tree without a row is not published, never zero."""
        safe = read(tmp_path, "area,value\nE08000001,23\nE00000001,0\n").safe
        assert safe.values[2].tolist() == [[23]] and safe.values[0][0].tolist() == [0]
        assert safe.markers[0].ravel().tolist() == [SHOWN, *[NOT_PUBLISHED] * 3]
        assert (safe.markers[1] == NOT_PUBLISHED).all()

    def test_areas_in_the_columns_of_the_nest(self, tmp_path: Path) -> None:
        """The smallest column that is filled is the area."""
        text = "oa,lsoa,lad,count\nE00000001,E01000001,E08000001,4\n,E01000001,E08000001,9\nTotal,Total,E08000001,23\n"
        safe = read(tmp_path, text).safe
        assert safe.values[0][0, 0] == 4 and safe.values[1][0, 0] == 9 and safe.values[2][0, 0] == 23

    def test_columns_of_other_names(self, tmp_path: Path) -> None:
        known = '[file.columns]\narea = "LSOA code"\nvalue = "Claimants"\n'
        safe = read(tmp_path, "LSOA code,Name,Claimants\nE01000002,Somewhere,12\n", known=known).safe
        assert safe.values[1].ravel().tolist() == [0, 12]

    def test_areas_outside_the_tree_are_left_out_and_counted(self, tmp_path: Path) -> None:
        published = read(tmp_path, "area,value\nE01000001,12\nE01999999,9\nK02000001,99\n")
        assert any("2 rows of areas that are not in the area tree" in notice for notice in published.notices)

    def test_levels_that_the_tree_calls_otherwise(self, tmp_path: Path) -> None:
        safe = read(tmp_path, "area_level,area,value\nLSOA 2021,E01000001,12\n").safe
        assert safe.values[1][0, 0] == 12

    def test_a_level_and_a_code_that_do_not_belong_together(self, tmp_path: Path) -> None:
        published = read(tmp_path, "area_level,area,value\nlsoa,E01000001,12\noa,E01000002,3\n")
        assert any("1 rows" in notice for notice in published.notices)
        assert (published.safe.markers[1].ravel() == [SHOWN, NOT_PUBLISHED]).all()

    def test_built_in_markers(self, tmp_path: Path) -> None:
        text = "area,value\nE00000001,c\nE00000002,[z]\nE00000003,..\nE00000004,-\nE01000001,*\nE01000002,[LOW]\n"
        published = read(tmp_path, text, method="conventional-rounding")
        safe = published.safe
        assert safe.markers[0].ravel().tolist() == [SUPPRESSED, STRUCTURAL, NOT_AVAILABLE, SUPPRESSED]
        assert safe.markers[1].ravel().tolist() == [SUPPRESSED, LOW]
        (notice,) = [notice for notice in published.notices if "is read as" in notice]
        assert "'*' is read as suppressed" in notice and "'-' is read as suppressed" in notice

    def test_low_figures_among_exact_ones_are_not_nil(self, tmp_path: Path) -> None:
        published = read(tmp_path, "area,value\nE00000001,[low]\n")
        assert published.safe.markers[0][0, 0] == SUPPRESSED
        assert any("'[low]' is read as suppressed" in notice for notice in published.notices)
        said = read(tmp_path, "area,value\nE00000001,[low]\n", known='markers = { "[low]" = "low" }\n')
        assert said.safe.markers[0][0, 0] == LOW

    def test_texts_that_stand_for_a_range_need_no_telling(self, tmp_path: Path) -> None:
        published = read(tmp_path, "area,value\nE00000001,fewer than 5\nE00000002,1 to 4\n")
        assert published.known is not None
        assert published.known.lo[0].ravel().tolist()[:2] == [0, 1]
        assert published.known.hi[0].ravel().tolist()[:2] == [4, 4]
        assert any("'fewer than 5' is read as 0 to 4" in notice for notice in published.notices)

    def test_markers_of_ones_own_and_ranges(self, tmp_path: Path) -> None:
        """NHS tables show 1 to 7 as a star."""
        known = 'markers = { "*" = [1, 7], "S" = "c" }\n'
        published = read(tmp_path, "area,value\nE00000001,*\nE00000002,S\n", known=known)
        assert published.safe.markers[0].ravel().tolist()[:2] == [SUPPRESSED, SUPPRESSED]
        assert published.known is not None
        assert published.known.lo[0].ravel().tolist() == [1, 0, 0, 0]
        assert published.known.hi[0].ravel().tolist() == [7, NO_BOUND, NO_BOUND, NO_BOUND]

    def test_margins_under_another_name(self, tmp_path: Path) -> None:
        text = "area,sex,value\nE01000001,All,9\nE01000001,f,4\n"
        safe = read(tmp_path, text, by=("sex",), known='total = "All"\n').safe
        assert safe.classification.categories == (("f",),)
        assert safe.values[1][0].tolist() == [4, 9]

    def test_bounds_and_caps(self, tmp_path: Path) -> None:
        (tmp_path / "people.csv").write_text("area,value\nE00000001,120\nE00999999,3\n")
        known = (
            '[[file.bounds]]\narea = "E01000001"\nlo = 3\nhi = 40\n'
            '[[file.bounds]]\narea = "E01000001"\ncategory = { sex = "f" }\nlo = 2\n'
            '[[file.caps]]\npath = "people.csv"\n'
        )
        published = read(tmp_path, "area,sex,value\nE08000001,f,9\n", by=("sex",), known=known)
        assert published.known is not None
        assert published.known.lo[1][0].tolist() == [2, 3] and published.known.hi[1][0, 1] == 40
        assert published.known.hi[0][:, 1].tolist() == [120, NO_BOUND, NO_BOUND, NO_BOUND]

    def test_suppression_shows_exact_figures(self, tmp_path: Path) -> None:
        published = read(tmp_path, "area,value\nE08000001,9\n", method="suppression")
        assert published.safe.method.name == "exact"


class TestBad:
    @pytest.mark.parametrize("value", ["-5", "2.5", "1e3", "low5", "n/a", "9" * 20, '"1,200"'])
    def test_values_that_are_neither_whole_numbers_nor_markers(self, tmp_path: Path, value: str) -> None:
        assert refused(tmp_path, f"area,value\nE01000001,5\nE01000002,{value}\n") == [("no number", 3)]

    def test_unknown_markers_both_and_neither(self, tmp_path: Path) -> None:
        text = "area,value,marker\nE00000001,,q\nE00000002,5,c\nE00000003,,\nE00000004,c,c\n"
        assert refused(tmp_path, text) == [("unknown marker", 2), ("no value", 4), ("two values", 3), ("two values", 5)]

    def test_two_rows_of_one_cell(self, tmp_path: Path) -> None:
        text = "area,value\nE01000001,5\nE01000002,5\nE01000001,5\n"
        assert refused(tmp_path, text) == [("repeated row", 4)]

    def test_rows_that_a_column_nobody_named_tells_apart(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="name 'sex' in --by"):
            read(tmp_path, "area,sex,value\nE01000001,f,5\nE01000001,m,5\n")

    def test_no_area_of_the_tree(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "area,value\nW01000001,5\n") == [("no area", None)]

    def test_margins_of_single_dimensions(self, tmp_path: Path) -> None:
        text = "area,sex,age,value\nE01000001,f,old,5\nE01000001,f,Total,5\nE01000001,Total,Total,5\n"
        assert refused(tmp_path, text, by=("sex", "age")) == [("relation", 3)]

    def test_a_category_that_is_blank(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "area,sex,value\nE01000001,f,5\nE01000002,,5\n", by=("sex",)) == [
            ("not in the list", 3)
        ]

    def test_only_margins(self, tmp_path: Path) -> None:
        assert refused(tmp_path, "area,sex,value\nE01000001,Total,5\n", by=("sex",)) == [("no category", None)]

    @pytest.mark.parametrize(
        "known",
        ['[[file.bounds]]\narea = "E01999999"\n', '[[file.bounds]]\narea = "E01000001"\ncategory = { sex = "q" }\n'],
    )
    def test_bounds_of_cells_that_are_not_there(self, tmp_path: Path, known: str) -> None:
        assert refused(tmp_path, "area,value\nE01000001,5\n", known=known) == [("bound", None)]

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"method": None}, "nobody says by which method"),
            ({"method": "magic"}, "is not known"),
            ({"method": "random-rounding", "base": 1}, "rounds nothing"),
        ],
    )
    def test_methods_that_cannot_be_attacked(self, tmp_path: Path, said: dict[str, object], words: str) -> None:
        with pytest.raises(InputError, match=words):
            read(tmp_path, "area,value\nE01000001,5\n", **said)  # type: ignore[arg-type]


def test_what_is_known_of_a_file_goes_before_the_options_and_is_said(tmp_path: Path) -> None:
    published = read(tmp_path, "area,value\nE01000001,6\n", known='method = "random-rounding"\nbase = 3\n', base=5)
    assert published.safe.method.name == "random-rounding" and published.safe.method.base == 3
    assert any("base 5 of the options was not used" in notice for notice in published.notices)


def test_files_are_found_whichever_way_their_path_is_written(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text('[[file]]\npath = "./sub/../table.csv"\n')
    entries = read_all_known(tmp_path / "known.toml").file
    assert find_known(entries, tmp_path / "table.csv") is entries[0]
    assert find_known(entries, tmp_path / "other.csv") is None


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    lines = ["E00000001,5", "E01000001,10", "E08000001,25", "E00000003,c"]
    one = read(tmp_path, "area,value\n" + "\n".join(lines) + "\n").safe
    other = read(tmp_path, "area,value\n" + "\n".join(reversed(lines)) + "\n").safe
    assert all(
        np.array_equal(a, b) for a, b in zip(one.values + one.markers, other.values + other.markers, strict=True)
    )
