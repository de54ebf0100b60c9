"""The made-up city and country: the same again for the same seed, whole, nested, and read back by our own readers."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geography.areas import read_areas
from geography.boundaries import mended, read_boundaries
from geography.city import City, make_city, write_city
from geography.codes import code_fault
from geography.country import make_country
from geography.grouping import Graph, group
from geography.lookups import MADE_LEVELS, POSTCODE_AREA, POSTCODE_COLUMN, write_lookups
from geography.madepostcodes import made_postcodes
from geography.placenames import block_names, lettered, numbered_codes
from geography.postcodes import read_postcodes
from geography.townplan import Bend


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(seed=7, output_areas=90)


@pytest.fixture(scope="module")
def written(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(city, folder)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(written: Path, tmp_path: Path) -> None:
    again = write_city(make_city(seed=7, output_areas=90), tmp_path)
    assert [path.name for path in again] == ["lookup.csv", "postcodes.csv", "boundaries.gpkg"]
    for path in again:
        assert path.read_bytes() == (written / path.name).read_bytes(), path.name
    (tmp_path / "other").mkdir()
    other = write_city(make_city(seed=8, output_areas=90), tmp_path / "other")
    assert all(path.read_bytes() != (written / path.name).read_bytes() for path in other)


def test_what_is_written_is_read_back(city: City, written: Path) -> None:
    areas = read_areas(written / "lookup.csv", MADE_LEVELS)
    for name in ("codes", "names", "parents"):
        for one, two in zip(getattr(areas, name), getattr(city.areas, name), strict=True):
            assert np.array_equal(one, two)
    path = written / "postcodes.csv"
    postcodes = read_postcodes(path, postcode=POSTCODE_COLUMN, area=POSTCODE_AREA, areas=areas)
    assert np.array_equal(postcodes.postcodes, city.postcodes.postcodes)
    assert np.array_equal(postcodes.area, city.postcodes.area)
    for level, layer in enumerate(("oa", "lsoa", "msoa", "lad")):
        path = written / "boundaries.gpkg"
        frame = read_boundaries(path, layer=layer, code="code", codes=areas.codes[level], level=layer)
        assert mended(frame) == ()


@pytest.mark.parametrize("level", ["oa", "lsoa", "msoa", "lad"])
def test_boundaries_tile_the_city_without_gap_or_overlap(city: City, level: str) -> None:
    shapes = city.boundaries[level].geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    assert set(shapely.get_type_id(shapes)) == {3}, "every area hangs together"
    assert shapely.area(shapes).sum() == pytest.approx(city.boundaries["oa"].area.sum())


def test_boundaries_nest_as_the_lookup_says(city: City) -> None:
    inside = shapely.point_on_surface(city.boundaries["oa"].geometry.to_numpy())
    for level, layer in ((1, "lsoa"), (2, "msoa"), (3, "lad")):
        over = city.boundaries[layer].geometry.to_numpy()[city.areas.ancestors(0, level)]
        assert shapely.contains(over, inside).all()


def test_areas_are_of_the_size_that_output_areas_are(city: City) -> None:
    households = np.bincount(city.postcodes.area, city.households)
    assert city.households.min() >= 1
    assert len(households) == 90
    assert households.mean() == pytest.approx(125, rel=0.03)
    assert (households.min() > 50) and (households.max() < 250)
    assert np.mean((households >= 90) & (households <= 165)) > 0.8


def test_the_river_parts_two_authorities(city: City) -> None:
    one, two = city.boundaries["lad"].geometry
    assert one.distance(two) > 10


@pytest.mark.parametrize(("authorities", "output_areas"), [(1, 60), (3, 90)])
def test_other_cities(authorities: int, output_areas: int) -> None:
    other = make_city(seed=1, authorities=authorities, output_areas=output_areas)
    assert other.areas.sizes[0] == output_areas
    assert other.areas.sizes[3:] == (authorities, 1, 1)
    assert all(code_fault(str(code)) is None for codes in other.areas.codes for code in codes)


@pytest.mark.parametrize(("authorities", "output_areas"), [(0, 320), (99, 9000), (2, 59), (3, 80)])
def test_a_city_that_cannot_be_says_why(authorities: int, output_areas: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        make_city(seed=1, authorities=authorities, output_areas=output_areas)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_bend_never_folds_the_plane(seed: int) -> None:
    """A triangle keeps its turning sense: slopes of all waves add up to less than 1."""
    bend = Bend(np.random.default_rng(seed))
    slopes = np.hypot(*bend.waves.T) * np.hypot(*bend.shifts.T)
    assert slopes.sum() < 1


@settings(deadline=None, max_examples=25)
@given(width=st.integers(3, 9), groups=st.integers(1, 9), seed=st.integers(0, 999))
def test_groups_hang_together_and_hold_every_block(width: int, groups: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.arange(width * width).reshape(width, width)
    borders = np.vstack(
        [np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]), np.column_stack([at[:-1].ravel(), at[1:].ravel()])]
    )
    places = np.column_stack([at.ravel() % width, at.ravel() // width]).astype(float)
    weights, ties = rng.uniform(1, 3, width * width), np.ones(len(borders))
    graph = Graph(places=places, weights=weights, borders=borders, ties=ties)
    found = group(graph, groups, np.random.default_rng(seed))
    assert np.array_equal(np.unique(found), np.arange(groups))
    assert np.array_equal(found, group(graph, groups, np.random.default_rng(seed)))
    for one in range(groups):
        members = set(np.flatnonzero(found == one).tolist())
        reached, waiting = set(), [min(members)]
        while waiting:
            block = waiting.pop()
            reached.add(block)
            near = {b for a, b in borders if a == block} | {a for a, b in borders if b == block}
            waiting += [other for other in near & members if other not in reached]
        assert reached == members
    merged = graph.merged(found)
    assert merged.weights.sum() == pytest.approx(weights.sum())


def test_groups_never_cross_a_gap() -> None:
    """Two strips with no border between them: . . . | . . . ."""
    borders = np.array([[0, 1], [1, 2], [3, 4], [4, 5], [5, 6]])
    places = np.column_stack([np.arange(7.0), np.zeros(7)])
    graph = Graph(places=places, weights=np.ones(7), borders=borders, ties=np.ones(5))
    found = group(graph, 1, np.random.default_rng(0))
    assert len(set(found[:3])) == len(set(found[3:])) == 1
    assert found[0] != found[3]


def test_a_country_has_areas_in_national_proportion() -> None:
    country = make_country(areas=188_880, seed=1, postcodes_per_area=1)
    assert country.areas.sizes == (188_880, 35_672, 7_264, 331, 10, 2)
    assert len(country.postcodes.postcodes) == 188_880
    assert np.array_equal(np.unique(country.postcodes.area), np.arange(188_880))


@pytest.mark.parametrize("areas", [1, 2, 7, 60, 1500])
def test_a_small_country_is_written_and_read_back(areas: int, tmp_path: Path) -> None:
    country = make_country(areas=areas, seed=3)
    write_lookups(tmp_path, areas=country.areas, postcodes=country.postcodes)
    found = read_areas(tmp_path / "lookup.csv", MADE_LEVELS)
    assert found.sizes == country.areas.sizes
    assert all(np.array_equal(one, two) for one, two in zip(found.parents, country.areas.parents, strict=True))
    assert all(np.array_equal(one, two) for one, two in zip(found.names, country.areas.names, strict=True))
    postcodes = read_postcodes(tmp_path / "postcodes.csv", postcode="pcds", area="oa21cd", areas=found)
    assert np.array_equal(postcodes.area, country.postcodes.area)
    assert len(postcodes.postcodes) == 9 * areas


def test_the_same_seed_gives_the_same_country() -> None:
    one, two = make_country(areas=400, seed=5), make_country(areas=400, seed=5)
    assert all(np.array_equal(a, b) for a, b in zip(one.areas.parents, two.areas.parents, strict=True))
    assert not np.array_equal(one.areas.parents[0], make_country(areas=400, seed=6).areas.parents[0])


def test_a_country_that_cannot_be_says_why() -> None:
    for wrong in ({"areas": 0}, {"areas": 600_000}, {"areas": 5, "postcodes_per_area": 0}):
        with pytest.raises(ValueError, match="must be"):
            make_country(seed=1, **wrong)


def test_names_with_commas_are_quoted_and_come_back(city: City, tmp_path: Path) -> None:
    country = make_country(areas=3, seed=1)
    country.areas.names[3][:] = 'A, "B'
    write_lookups(tmp_path, areas=country.areas, postcodes=country.postcodes)
    assert read_areas(tmp_path / "lookup.csv", MADE_LEVELS).names[3].tolist() == ['A, "B']
    with pytest.raises(ValueError, match="levels"):
        write_lookups(tmp_path, areas=country.areas, postcodes=country.postcodes, levels=MADE_LEVELS[:2])


def test_made_up_codes_postcodes_and_names() -> None:
    assert numbered_codes("E00", 2).tolist() == ["E00900001", "E00900002"]
    with pytest.raises(ValueError, match="six digits"):
        numbered_codes("E00", 99_999 + 2)
    many = made_postcodes(370_000)
    assert many[0] == "ZA100AA"
    assert np.all(many[:-1] < many[1:])
    assert many[[399, 400, 360_000]].tolist() == ["ZA100ZZ", "ZA101AA", "ZB100AA"]
    with pytest.raises(ValueError, match="first_area"):
        made_postcodes(1, first_area="ZE")
    with pytest.raises(ValueError, match="at most"):
        made_postcodes(10**8)
    names = block_names(np.array(["Near", "Far"]), np.array([0, 0, 1]))
    assert names.tolist() == ["Near 001", "Near 002", "Far 001"]
    letters = lettered(np.array(["Near 001"]), np.zeros(28, np.int64))
    assert letters[[0, 25, 26, 27]].tolist() == ["Near 001A", "Near 001Z", "Near 001AA", "Near 001AB"]
