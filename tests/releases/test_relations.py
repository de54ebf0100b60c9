"""Ties between tables that are not honoured yet are refused with the reason, before anything is counted or written."""

from pathlib import Path

import pytest
from conftest import Published
from small_place import change, claim, one_table, write_claims

from common.faults import InputError
from releases.publish.pipeline import publish


def table(id_: str, *by: str, **more: object) -> dict[str, object]:
    return {"id": id_, "title": id_, "by": list(by), **more}


def refused(release: Path, *tables: dict[str, object]) -> list[str]:
    out = release.parent.parent.parent / "out"
    with pytest.raises(InputError) as caught:
        publish(change(release, table=list(tables)), out)
    assert not out.exists() and not out.with_name("out-review").exists()
    assert {fault.kind for fault in caught.value.faults} == {"relation"}
    return str(caught.value).splitlines()


@pytest.mark.parametrize("dimension", ["sex", "age_band"])
def test_claims_by_what_a_person_is_beside_people(release: Path, dimension: str) -> None:
    (line,) = refused(release, table("claims", dimension), table("people", count="people"))
    assert f"counts claims by {dimension} beside people" in line and 'set count = "people"' in line


def test_figures_already_public_beside_people_must_say_what_they_count(release: Path) -> None:
    (release.parent / "known.csv").write_text("area_level,area,value\nlad,E08910000,5\n")
    change(release, already_public=[{"path": "known.csv"}])
    (line,) = refused(release, table("claims", "benefit"), table("people", "sex", count="people"))
    assert "nobody says what known.csv counts" in line


def test_a_crossing_of_benefits_beside_people(release: Path) -> None:
    (line,) = refused(release, table("claims", "benefit", "duration_band"), table("people", "sex", count="people"))
    assert "counts claims by benefit, duration_band beside people" in line and "in a table of its own" in line


def test_client_groups_beside_benefits(release: Path) -> None:
    (line,) = refused(release, table("claims", "benefit"), table("people", "client_group", count="people"))
    assert "a group of one benefit is that benefit's figure under another name" in line


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("protection__method", "conventional-rounding", "are not drawn together by conventional-rounding"),
        ("protection__width", 5, "a width of 5 cannot be promised of people beside claims"),
    ],
)
def test_what_people_beside_claims_do_not_go_with(release: Path, part: str, value: object, said: str) -> None:
    change(release, **{part: value})
    (line,) = refused(release, table("claims", "benefit"), table("people", "sex", count="people"))
    assert said in line


@pytest.mark.parametrize("dimension", ["benefit", "duration_band"])
def test_people_by_what_a_claim_says(release: Path, dimension: str) -> None:
    change(release, release__population="people")
    (line,) = refused(release, table("one", dimension))
    assert f"counts people by {dimension}" in line and "do not add up" in line


def test_claims_by_client_group(release: Path) -> None:
    (line,) = refused(release, table("one", "client_group"))
    assert "counts claims by client_group, which places persons" in line


def test_bands_in_a_crossing(release: Path) -> None:
    (line,) = refused(
        release, table("fine", "age_band", "sex"), table("broad", "age_band", bands={"age_band": "broad"})
    )
    assert "show age_band in different bands" in line and "told by nothing else, in lists that nest" in line


def test_two_variables_in_two_lists_of_bands(release: Path) -> None:
    broad = [table(f"broad-{name[:3]}", name, bands={name: "broad"}) for name in ("age_band", "duration_band")]
    lines = refused(release, table("age", "age_band"), table("duration", "duration_band"), *broad)
    assert len(lines) == 2 and all("of one variable alone" in line for line in lines)


def test_what_bands_inside_bands_do_not_go_with(release: Path) -> None:
    change(release, protection__method="conventional-rounding")
    (line,) = refused(release, table("fine", "age_band"), table("broad", "age_band", bands={"age_band": "broad"}))
    assert "in two lists of bands do not go with" in line


def test_bands_inside_bands_of_people_beside_claims(release: Path) -> None:
    (line,) = refused(
        release,
        table("claims", "benefit"),
        table("fine", "age_band", count="people"),
        table("broad", "age_band", bands={"age_band": "broad"}, count="people"),
    )
    assert "do not go with people beside claims yet" in line


def test_a_shared_margin(release: Path) -> None:
    (line,) = refused(release, table("sex", "sex"), table("both", "age_band", "sex"))
    assert "share sex as a margin" in line


def test_two_crossings_that_share_a_margin(release: Path) -> None:
    (line,) = refused(release, table("a", "benefit", "sex"), table("b", "sex", "age_band"))
    assert "share sex as a margin" in line


def test_the_same_table_twice(release: Path) -> None:
    (line,) = refused(release, table("sex", "sex"), table("gender", "sex"))
    assert "are the same table twice" in line


def test_totals_alone_twice(release: Path) -> None:
    (line,) = refused(release, table("a"), table("b"))
    assert "the same table twice" in line


def test_several_at_once(release: Path) -> None:
    lines = refused(
        release, table("a", "client_group"), table("b", "sex"), table("c", "sex"), table("d", "sex", count="people")
    )
    assert len(lines) == 1 + 2 + 1


class TestOneFigureUnderTwoNames:
    def test_refused(self, release: Path) -> None:
        """Every woman claims Universal Credit and nobody else does: F and UC are one figure."""
        rows = [claim(number, sex="F") for number in range(40)]
        rows += [claim(100 + number, sex="M", benefit=("CA", "JSA")[number % 2]) for number in range(40)]
        write_claims(release, rows)
        lines = refused(release, table("benefit", "benefit"), table("sex", "sex"))
        assert len(lines) == 1 and "leave one of the two tables out" in lines[0]
        assert "UC" in lines[0] and "F" in lines[0]

    def test_few_records_are_told_to_the_reviewer(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(number, sex="F") for number in range(29)]
        rows += [
            claim(100 + number, sex=("M", "")[number % 2], benefit=("CA", "JSA")[number // 2 % 2])
            for number in range(40)
        ]
        write_claims(release, rows)
        change(release, table=[table("benefit", "benefit"), table("sex", "sex")])
        publish(release, tmp_path / "out")
        page = (tmp_path / "out-review" / "review.html").read_text(encoding="utf-8")
        assert "so few records that chance may explain it" in page

    def test_one_record_apart_is_two_figures(self, release: Path, tmp_path: Path) -> None:
        rows = [claim(number, sex="F") for number in range(40)]
        rows += [claim(100 + number, sex="M", benefit=("CA", "UC")[number == 0]) for number in range(40)]
        write_claims(release, rows)
        change(release, table=[table("benefit", "benefit"), table("sex", "sex")])
        publish(release, tmp_path / "out")

    @pytest.mark.parametrize("second", [False, True], ids=["people are claims", "people are one benefit's claims"])
    def test_people_who_have_the_numbers_of_claims(self, release: Path, second: bool) -> None:
        """Everybody claims Universal Credit once, and some a second benefit: people are a column of claims."""
        rows = [claim(number) for number in range(72)]
        rows += [row | {"benefit": "PIP"} for row in rows[:20] if second]
        write_claims(release, rows)
        lines = refused(release, table("duration", *(["benefit"] if second else [])), table("heads", count="people"))
        (line,) = lines
        assert "the same numbers in every area: they are one figure under two names" in line
        assert ("column (UC) of table (duration)" if second else "the total of table (duration)") in line

    def test_everybody_in_one_category_is_the_total(self, release: Path, tmp_path: Path) -> None:
        """Where all claims are of one benefit its column is the total's, which has one value by construction."""
        write_claims(release, [claim(number, sex="FM"[number % 2]) for number in range(60)])
        change(release, table=[table("benefit", "benefit"), table("sex", "sex")])
        publish(release, tmp_path / "out")
        for level, value in ((row["area"], row) for row in _rows(tmp_path / "out" / "tables" / "benefit.csv")):
            assert level and value["value"] == value["Total"]


def _rows(path: Path) -> list[dict[str, str]]:
    """The UC row of each area, with that area's Total beside it."""
    from small_place import rows_of

    totals = {row["area"]: row["value"] for row in rows_of(path) if row["benefit"] == "Total"}
    return [row | {"Total": totals[row["area"]]} for row in rows_of(path) if row["benefit"] == "UC"]


def test_tables_that_share_totals_alone_are_honoured(done: Published) -> None:
    assert len(list((done.out / "tables").glob("*.csv"))) == 4


def test_one_table_alone_has_no_relations(release: Path, tmp_path: Path) -> None:
    publish(one_table(release, ["benefit"]), tmp_path / "out")
