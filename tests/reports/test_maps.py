"""Maps: the same bytes each time, honest legends, no figure where none is published."""

import dataclasses
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from pagescene import make_scene

from reports.mapdrawing import FIVE, PALETTES, _luminance
from reports.maps import DrawnMap, MapRequest, draw_map, map_alt, map_requests, map_title, write_maps
from sdc.tables import SUPPRESSED


@pytest.fixture(scope="module")
def scene():
    return make_scene(areas=60)


@pytest.fixture(scope="module")
def drawn(scene, tmp_path_factory) -> tuple[Path, tuple[DrawnMap, ...]]:
    folder = tmp_path_factory.mktemp("maps")
    return folder, write_maps(scene.facts, scene.tables, scene.boundaries, folder)


def svg_words(svg: bytes) -> str:
    return " ".join(re.findall(r">([^<>]+)</text>", svg.decode()))


def test_a_map_per_level_once_for_claims_however_many_tables(scene) -> None:
    wanted = map_requests(scene.tables, scene.boundaries)
    assert [(one.table, one.level) for one in wanted] == [("benefit", "oa"), ("benefit", "lsoa")]


def test_files_are_png_and_svg(drawn) -> None:
    folder, maps = drawn
    for one in maps:
        png, svg = (folder / one.png).read_bytes(), (folder / one.svg).read_bytes()
        assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24])[0] == 1600
        assert b"<svg" in svg and f"<title>{one.title}</title>".encode() in svg


def test_the_same_map_has_the_same_bytes_and_no_date(scene, drawn) -> None:
    folder, maps = drawn
    again = draw_map(scene.facts, scene.tables[0], scene.boundaries[1], outlines=scene.boundaries[3])
    assert again == ((folder / maps[1].png).read_bytes(), (folder / maps[1].svg).read_bytes())
    assert b"dc:date" not in again[1] and b"Matplotlib" not in again[1]


def test_settings_of_the_machine_change_nothing(scene, drawn) -> None:
    import matplotlib

    folder, maps = drawn
    with matplotlib.rc_context({"font.size": 30, "savefig.dpi": 40, "axes.facecolor": "red"}):
        again = draw_map(scene.facts, scene.tables[0], scene.boundaries[1], outlines=scene.boundaries[3])
        assert matplotlib.rcParams["font.size"] == 30, "and they are left as they were"
    assert again[0] == (folder / maps[1].png).read_bytes()


def test_legend_counts_every_area_once_and_tells_what_zero_is(scene) -> None:
    table, column = scene.tables[0], 3
    assert (table.safe.values[0][:, column] == 0).any()
    _, svg = draw_map(scene.facts, table, scene.boundaries[0], outlines=scene.boundaries[3], column=column)
    words = svg_words(svg)
    assert sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) areas?", words)) == 60
    assert "nil, or rounded" in words
    assert "Source: Made-up benefit records" in words and "Made-up boundaries" in words


def test_areas_not_shown_are_hatched_and_in_the_legend() -> None:
    scene = make_scene(areas=60, suppressed=True)
    table, boundary = scene.tables[0], scene.boundaries[0]
    _, svg = draw_map(scene.facts, table, boundary)
    hidden = int((table.safe.markers[0][:, -1] == SUPPRESSED).sum())
    assert hidden and f"[c] confidential {hidden} areas" in svg_words(svg)
    assert "url(#" in svg.decode() and f"{hidden} output areas are hatched" in map_alt(scene.facts, table, "oa")


def test_a_map_of_nothing_shown_has_no_classes() -> None:
    scene = make_scene(areas=60)
    table, boundary = scene.tables[0], scene.boundaries[1]
    markers = tuple(np.full_like(array, SUPPRESSED) for array in table.safe.markers)
    hidden = dataclasses.replace(table, safe=dataclasses.replace(table.safe, markers=markers))
    _, svg = draw_map(scene.facts, hidden, boundary)
    assert not any(colour.lower() in svg.decode().lower() for colour in FIVE)


def test_alt_text_says_what_the_map_says(scene) -> None:
    table = scene.tables[0]
    alt = map_alt(scene.facts, table, "lsoa")
    largest = int(np.argmax(table.safe.values[1][:, -1]))
    assert "12 lower layer super output areas" in alt and "31 May 2026" in alt
    assert str(scene.facts.area_names["lsoa"][largest]) in alt
    assert f"to {table.safe.values[1][:, -1].max():,}" in alt


def test_a_category_can_be_mapped(scene, tmp_path) -> None:
    column = 6
    (one,) = write_maps(
        scene.facts,
        scene.tables,
        scene.boundaries,
        tmp_path,
        requests=[MapRequest(table="benefit", level="lsoa", column=column)],
    )
    assert one.title == map_title(scene.facts, scene.tables[0], "lsoa", column)
    assert one.title.startswith("Universal Credit: claims by") and one.png == "benefit-7-uc-lsoa.png"


def test_wrong_number_of_boundaries_is_refused(scene) -> None:
    short = dataclasses.replace(scene.boundaries[1], frame=scene.boundaries[1].frame.iloc[:-1])
    with pytest.raises(ValueError, match="one for each"):
        draw_map(scene.facts, scene.tables[0], short)


def test_palettes_darken_from_class_to_class() -> None:
    for colours in PALETTES.values():
        light = [_luminance(colour) for colour in colours]
        assert light == sorted(light, reverse=True)
