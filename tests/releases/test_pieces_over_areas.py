"""Pieces over several divisions of areas: trees, lookups, codes and names that differ."""

from pathlib import Path

import pytest
from pieces_steps import audit, pinned, read

from common.faults import InputError
from releases.attack.pieces import Read
from sdc.attack.joint import AREAS as AREA

TREE = "oa,lsoa,ward,lad\no1,l1,w1,t\no2,l1,w2,t\no3,l2,w2,t\n"


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
