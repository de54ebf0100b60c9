"""Percentages, rates and means as pieces: what they say of the counts that they are of."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from counts_files import AREAS
from pieces_steps import LEVELS, audit, faults, pinned, read, value_at

from releases.attack.known import read_all_known
from releases.attack.pieces import read_pieces
from releases.attack.said import Defaults
from sdc.attack.intervals import NO_BOUND
from sdc.tables import NOT_PUBLISHED


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
