"""What a release reads besides the extract: areas, postcodes, boundaries, and what is already public."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from claimants.consent import Policy, read_policy, shipped_policy
from claimants.dimensions import Dimension, dimension, with_no_benefit
from claimants.extract import ExtractSpec
from claimants.files import find_files
from common.faults import Faults, InputError
from geography.areas import Areas, Level, read_areas
from geography.postcodes import Postcodes, read_postcodes
from releases.counts.shaping import hierarchy_of
from releases.publish.derivations import NOTHING, Supplied, read_supplied
from releases.publish.extracts import extract_of
from releases.publish.spec import Release, TableSpec
from reports.model import Boundary

__all__ = ["Inputs", "dimensions_of", "input_files", "read_inputs"]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Everything read before the extract, and what there is to say about it."""

    areas: Areas
    postcodes: Postcodes | None
    boundaries: tuple[Boundary, ...]
    extract: ExtractSpec
    notices: tuple[str, ...]
    supplied: Supplied = NOTHING
    policy: Policy | None = None


def dimensions_of(release: Release, file: str) -> dict[str, dict[str, Dimension]]:
    """The dimensions of each table by table id and name, from the shipped code lists.

    Raises
    ------
    InputError
        There is no list of bands of a name that a table asks for.
    """
    faults = Faults(file)
    found: dict[str, dict[str, Dimension]] = {}
    for table in release.table:
        found[table.id] = {}
        for name in table.by:
            one = _tried(lambda name=name, table=table: _dimension(release, table, name), faults)  # type: ignore[misc]
            if one is not None:
                found[table.id][name] = one
    faults.raise_if_any()
    return found


def _dimension(release: Release, table: TableSpec, name: str) -> Dimension:
    one = dimension(name, table.bands.get(name, "standard"), table.purpose)
    return with_no_benefit(one) if release.claims.non_claimants else one


def read_inputs(release: Release, file: str, dimensions: dict[str, dict[str, Dimension]] | None = None) -> Inputs:
    """Read areas, postcodes, boundaries, denominators and estimates; faults of all of them are told together.

    `dimensions` are those of each table, as `dimensions_of` gives them; None looks them up.

    Raises
    ------
    InputError
        A file cannot be read, or they do not fit together.
    """
    faults = Faults(file)
    geography = release.geography
    extract = _tried(lambda: extract_of(release, file), faults)
    levels = tuple(Level(level.name, level.code, level.label) for level in geography.level)
    areas = _tried(lambda: read_areas(geography.lookup, levels), faults)
    postcodes: Postcodes | None = None
    boundaries: list[Boundary] = []
    notices: list[str] = []
    supplied: Supplied | None = NOTHING
    policy = _tried(lambda: _policy(release), faults)
    if areas is not None:
        named = dimensions_of(release, file) if dimensions is None else dimensions
        if geography.postcodes is not None:
            wanted = geography.postcodes
            postcodes = _tried(
                lambda: read_postcodes(wanted.path, postcode=wanted.postcode, area=wanted.area, areas=areas), faults
            )
            notices += _postcode_notices(postcodes)
        boundaries = _boundaries(release, areas, faults, notices)
        supplied = _tried(lambda: read_supplied(release, hierarchy_of(areas), named), faults)
    faults.raise_if_any()
    assert areas is not None and extract is not None and supplied is not None
    return Inputs(
        areas=areas,
        postcodes=postcodes,
        boundaries=tuple(boundaries),
        extract=extract,
        notices=tuple(notices),
        supplied=supplied,
        policy=policy,
    )


def _policy(release: Release) -> Policy:
    """Whose markers may count: the release's own policy, or the one that ships."""
    own = release.claims.policy
    return shipped_policy() if own is None else read_policy(own)


def input_files(release: Release, path: Path) -> dict[str, Path]:
    """Every input file by the name that fingerprints and the review pack give it."""
    files = {"lookup": release.geography.lookup}
    if release.claims.dictionary is not None:
        files["dictionary"] = release.claims.dictionary
    if release.claims.policy is not None:
        files["policy"] = release.claims.policy
    if release.geography.sizes is not None:
        files["sizes"] = release.geography.sizes.path
    if release.geography.postcodes is not None:
        files["postcodes"] = release.geography.postcodes.path
    claims_files, _ = find_files(release.claims.paths, release.claims.format, Faults())  # faults are told by the count
    for number, claims in enumerate(claims_files, start=1):
        files[f"claims-{number}"] = claims
    for boundary in release.geography.boundary:
        for number, one in enumerate(boundary.paths, start=1):
            files[f"boundary-{boundary.level}-{number}"] = one
    for denominator in release.denominator:
        files[f"denominator-{denominator.id}"] = denominator.path
    for estimate in release.estimate:
        files[f"estimate-{estimate.id}"] = estimate.path
    for number, public in enumerate(release.already_public, start=1):
        files[f"already-public-{number}"] = public.path
    return files


def _boundaries(release: Release, areas: Areas, faults: Faults, notices: list[str]) -> list[Boundary]:
    if not release.geography.boundary:
        return []
    from geography.boundaries import mended, read_many

    found = []
    for spec in release.geography.boundary:
        codes = areas.codes[areas.levels.index(spec.level)]
        frame = _tried(
            lambda spec=spec, codes=codes: read_many(  # type: ignore[misc]
                spec.paths, layer=spec.layer, code=spec.code, codes=codes, level=spec.level
            ),
            faults,
        )
        if frame is None:
            continue
        found.append(Boundary(level=spec.level, frame=frame, attribution=spec.attribution))
        if mended(frame):
            notices.append(
                f"boundaries of level {spec.level}: {len(mended(frame)):,} invalid outlines were mended for drawing"
            )
    return found


def _postcode_notices(postcodes: Postcodes | None) -> list[str]:
    if postcodes is None:
        return []
    notices = []
    if postcodes.unlocated:
        notices.append(
            f"postcode lookup: {postcodes.unlocated:,} postcodes without an area; their claims are in the bucket 'no area'"
        )
    if postcodes.outside:
        notices.append(f"postcode lookup: {postcodes.outside:,} postcodes in areas that the area lookup lacks")
    return notices


def _tried(read: Callable[[], T], faults: Faults) -> T | None:
    """What a reader gives; its faults are kept so that the next reader is heard too."""
    try:
        return read()
    except InputError as error:
        faults.extend(error)
        return None
