"""Pieces over several lists of categories: lists that nest, that overlap, that nobody explains."""

from pathlib import Path

import pytest
from pieces_steps import audit, faults, pinned, read

from common.faults import InputError
from releases.attack.categorylists import REST
from releases.attack.pieces import Read
from sdc.tables import NOT_PUBLISHED


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
