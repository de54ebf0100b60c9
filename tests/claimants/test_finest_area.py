"""How far down figures may go: by field, by level of areas, and by size."""

from itertools import pairwise

import numpy as np
import pytest

from claimants.dictionary import shipped_dictionary
from claimants.dimensions import dimension
from claimants.finestarea import finest_level, refused_areas, shown_levels, small_areas
from geography.areas import Areas
from geography.country import make_country
from geography.kinds import Kind, kind_of_code, kind_of_level, levels_at_or_above

DICTIONARY = shipped_dictionary()


def nested(*levels: list[str]) -> Areas:
    """Levels of the same number of areas, or fewer above: the last area takes the rest."""
    parents = tuple(
        np.minimum(np.arange(len(below)), len(above) - 1).astype(np.int32) for below, above in pairwise(levels)
    )
    return Areas(
        levels=tuple(f"level-{number}" for number in range(len(levels))),
        codes=tuple(np.array(codes) for codes in levels),
        names=tuple(np.full(len(codes), "") for codes in levels),
        parents=parents,
    )


@pytest.mark.parametrize(
    ("names", "bound"),
    [
        ((), ""),
        (("sex", "age_band"), ""),
        (("drugs_marker",), "local authority"),
        (("sex", "offending_marker"), "local authority"),
        (("health_marker",), "local authority"),
        (("ethnicity",), "local authority"),
    ],
)
def test_the_bound_of_a_table(names: tuple[str, ...], bound: str) -> None:
    assert finest_level([dimension(name) for name in names], DICTIONARY) == bound


def test_the_coarsest_bound_holds() -> None:
    from dataclasses import replace

    fields = {**DICTIONARY.fields, "drugs_marker": replace(DICTIONARY.fields["drugs_marker"], finest_area="country")}
    narrow = replace(DICTIONARY, fields=fields)
    tables = [dimension("drugs_marker"), dimension("alcohol_marker")]
    assert finest_level(tables, narrow) == "country"
    made = make_country(areas=200, seed=1).areas
    assert shown_levels(tables, narrow, made) == ("ctry",)
    assert shown_levels(tables, narrow, made, excused=True) == ("ctry",)  # no exception lifts that one


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("E00123456", Kind.OUTPUT_AREA),
        ("S00123456", Kind.OUTPUT_AREA),
        ("E01000001", Kind.SMALL_AREA),
        ("W02000001", Kind.SMALL_AREA),
        ("E06000001", Kind.LOCAL_AUTHORITY),
        ("E07000001", Kind.LOCAL_AUTHORITY),
        ("E08000001", Kind.LOCAL_AUTHORITY),
        ("E09000001", Kind.LOCAL_AUTHORITY),
        ("W06000001", Kind.LOCAL_AUTHORITY),
        ("S12000005", Kind.LOCAL_AUTHORITY),
        ("N09000001", Kind.LOCAL_AUTHORITY),
        ("E12000001", Kind.REGION),
        ("E92000001", Kind.COUNTRY),
        ("K02000001", Kind.COUNTRY),
        ("E05000001", None),  # wards are of no kind that is known here: below a local authority
        ("E0900001", None),
        ("e09000001", None),
        ("Ward 7", None),
        ("", None),
    ],
)
def test_the_kind_of_an_area(code: str, kind: Kind | None) -> None:
    assert kind_of_code(code) is kind


def test_a_level_is_as_small_as_its_smallest_area() -> None:
    assert kind_of_level(np.array(["E06000001", "E07000002", "W06000003"])) is Kind.LOCAL_AUTHORITY
    assert kind_of_level(np.array(["E01000001", "E06000001"])) is Kind.SMALL_AREA
    assert kind_of_level(np.array(["E06000001", "Own area"])) is None
    assert kind_of_level(np.array(["E06000001", "Own area"]), "local authority") is Kind.LOCAL_AUTHORITY
    assert kind_of_level(np.array(["E01000001"]), "country") is Kind.SMALL_AREA  # a code is not talked up
    with pytest.raises(ValueError, match="must be one of"):
        kind_of_level(np.array(["A"]), "town")


def test_made_up_areas_have_their_kinds() -> None:
    made = make_country(areas=3000, seed=1).areas
    drugs = [dimension("drugs_marker")]
    assert shown_levels(drugs, DICTIONARY, made) == ("lad", "rgn", "ctry")
    assert levels_at_or_above(made, Kind.COUNTRY) == ("ctry",)
    assert shown_levels([dimension("sex")], DICTIONARY, made) == made.levels
    assert shown_levels(drugs, DICTIONARY, made, excused=True) == made.levels


def test_areas_of_ones_own_above_local_authorities_and_below() -> None:
    areas = nested(["E00000001", "E00000002"], ["Park", "Quay"], ["E06000001", "E06000002"], ["Alliance"])
    drugs = [dimension("drugs_marker")]
    assert shown_levels(drugs, DICTIONARY, areas) == ("level-2", "level-3")
    assert shown_levels(drugs, DICTIONARY, nested(["Park", "Quay"])) == ()
    assert shown_levels(drugs, DICTIONARY, nested(["Park"]), declared={"level-0": "local authority"}) == ("level-0",)


def test_output_areas_of_scotland_are_refused() -> None:
    assert refused_areas(make_country(areas=50, seed=1).areas) == ()
    areas = nested(["E00000001", "S00000002"], ["S12000005"])
    (fault,) = refused_areas(areas)
    assert "level-0" in fault.found and "Scotland" in fault.found


@pytest.mark.parametrize(("number", "refused"), [(39, True), (40, False), (41, False), (np.nan, True), (-1, True)])
def test_areas_of_fewer_than_40_households(number: float, refused: bool) -> None:
    found = small_areas("oa", np.array(["A", "B"]), households=np.array([number, 500]))
    assert [("A" in fault.found, "39" in fault.found) for fault in found] == ([(True, False)] if refused else [])


def test_areas_of_fewer_than_100_residents() -> None:
    codes = np.array(["A", "B", "C"])
    found = small_areas("oa", codes, households=np.array([39, 50, 50]), residents=np.array([100, 99, 101]))
    assert [fault.found.split()[1] for fault in found] == ["A", "B"]
    with pytest.raises(ValueError, match="one number for each"):
        small_areas("oa", codes, residents=np.array([1]))
