"""Pieces of several measures: populations, dates, editions, parts within wholes, flows."""

import json
from pathlib import Path

import pytest
from made_release import rounded_tables, write_release
from pieces_steps import faults, pinned, read

from releases.attack.known import Known
from releases.attack.pieces import read_pieces
from releases.attack.said import Defaults
from sdc.attack.joint import Flow, Within


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
