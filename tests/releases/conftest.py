"""Releases that are made once: a small place without boundaries, and a made-up city with them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from held_records import benefit_records, research_copy
from small_place import copied, make_place

from releases.publish.pipeline import Publication, publish
from releases.synth.making import DEMO_KEY, SynthOptions, synthesise


@dataclass(frozen=True, kw_only=True)
class Published:
    """A release file and what `publish` made of it."""

    source: Path
    out: Path
    review: Path
    told: Publication


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release file of the small place; not to be changed."""
    return make_place(tmp_path_factory.mktemp("place") / "place")


@pytest.fixture
def release(place: Path, tmp_path: Path) -> Path:
    """A copy of the small place, to be spoiled."""
    return copied(place, tmp_path / "given")


def published(source: Path, folder: Path) -> Published:
    out = folder / "out"
    return Published(source=source, out=out, review=folder / "out-review", told=publish(source, out))


@pytest.fixture(scope="session")
def done(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The small place, published with all its four tables."""
    return published(place, tmp_path_factory.mktemp("done"))


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release file of a made-up city of 3,000 claims, with boundaries."""
    folder = tmp_path_factory.mktemp("city") / "city"
    synthesise(SynthOptions(out=folder, size=3_000, seed=5, key=DEMO_KEY))
    return folder / "RELEASE.toml"


@pytest.fixture(scope="session")
def city_done(city: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The made-up city, published."""
    return published(city, tmp_path_factory.mktemp("city-done"))


@pytest.fixture
def benefit(tmp_path: Path) -> Path:
    return benefit_records(tmp_path / "benefit")


@pytest.fixture
def research(tmp_path: Path) -> Path:
    return research_copy(tmp_path / "research")
