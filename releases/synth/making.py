"""Made-up extracts with a release file that `publish` takes unchanged: on a made-up city, or on areas given."""

import datetime as dt
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomlkit

from claimants.matching import match_counts
from claimants.synthetic import Made, SyntheticSpec, homes, make_records
from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from geography.areas import Areas, Level, read_areas
from geography.city import make_city, write_city
from geography.country import make_country
from geography.lookups import MADE_LEVELS, POSTCODE_AREA, POSTCODE_COLUMN, write_lookups
from geography.postcodes import Postcodes, read_postcodes
from geography.textcolumns import read_text_columns
from releases.synth.boundarycolumns import find_codes

__all__ = ["DEMO_KEY", "SynthOptions", "synthesise"]

DEMO_KEY = b"smallarea demonstration key, published with the software: no secret\n"
REFERENCE_DATE = dt.date(2026, 5, 31)
LEVEL_WORDS = {
    "oa": ("output area", "output areas"),
    "lsoa": ("lower layer super output area", "lower layer super output areas"),
    "msoa": ("middle layer super output area", "middle layer super output areas"),
    "dz": ("data zone", "data zones"),
    "wd": ("ward", "wards"),
    "lad": ("local authority", "local authorities"),
    "rgn": ("region", "regions"),
    "ctry": ("country", "countries"),
}
CODE_COLUMN = re.compile(r"^([a-z]+)(\d\d)?cd$", re.IGNORECASE)
FEW_AREAS = 3
LARGE = "lad"
MADE_UP_LINES = "Boundaries made up for demonstration"
MADE_UP = "Made-up data for demonstration: these figures describe nobody"
TABLES = (
    ("benefit", "Claims by benefit", ["benefit"]),
    ("age", "Claims by age of claimant", ["age_band"]),
    ("sex", "Claims by sex of claimant", ["sex"]),
    ("duration", "Claims by length of claim", ["duration_band"]),
)

BY_CONSENT = {"id": "drugs", "title": "Claims by drug misuse", "by": ["drugs_marker"], "finest": LARGE}


@dataclass(frozen=True, kw_only=True)
class SynthOptions:
    """What is to be made.

    Attributes
    ----------
    size : rows of the extract, trouble included; None where `match` gives the counts.
    areas : a lookup of given areas, with its columns in `nest` (smallest first) or,
        where that is empty, every column named like ``oa21cd``; None for a made-up city.
    country : make a country of so many output areas instead of a city, without boundaries.
    postcodes : a postcode lookup of the given areas; without it claims carry output areas.
    boundaries : level name and file of each boundary; a level may have several files.
    consent : make markers that need consent, the consent, and a table by one of them for local authorities.
    match : published counts that the made-up claims must equal, area by area.
    where : rows of `match` to use, as column and value.
    key : what the series key holds; random where None.
    """

    out: Path
    size: int | None = None
    seed: int = 1
    reference_date: dt.date = REFERENCE_DATE
    format: str = "csv"
    files: int = 1
    areas: Path | None = None
    nest: tuple[str, ...] = ()
    country: int | None = None
    postcodes: Path | None = None
    postcode_columns: tuple[str, str] | None = None
    boundaries: tuple[tuple[str, Path], ...] = ()
    attribution: str = "Boundaries as supplied"
    consent: bool = False
    match: Path | None = None
    where: tuple[tuple[str, str], ...] = ()
    key: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """The areas that claims are made on, and how a release file tells of them."""

    areas: Areas
    postcodes: Postcodes | None
    levels: tuple[Level, ...]
    lookup: Path
    postcode_file: tuple[Path, str, str] | None
    boundaries: tuple[dict[str, Any], ...]
    title: str


def synthesise(options: SynthOptions, *, progress: Progress = SILENT) -> tuple[Made, tuple[Path, ...]]:
    """Make an extract, its geography and a release file in a new folder; returns what was made and the files.

    The folder appears whole or not at all.

    Raises
    ------
    InputError
        The folder is in use, options do not go together, or a given file does not fit.
    """
    _check(options)
    work = options.out.with_name(f".{options.out.name}.smallarea-making-{os.getpid()}")
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir(mode=0o700)
        (work / "claims").mkdir()
        (work / "geography").mkdir()
        progress.step("making areas")
        ground = _ground(options, work / "geography")
        made = _claims(options, ground, work / "claims", progress)
        (work / "series.key").write_bytes(options.key or secrets.token_hex(48).encode() + b"\n")
        (work / "series.key").chmod(0o600)
        (work / "RELEASE.toml").write_text(_release_file(options, ground, work), encoding="utf-8", newline="\n")
        work.chmod(0o755)
        if options.out.exists():
            options.out.rmdir()
        work.rename(options.out)
    except OSError as error:
        raise _cannot_write(options.out, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return made, tuple(sorted(path for path in options.out.rglob("*") if path.is_file()))


def _check(options: SynthOptions) -> None:
    faults = Faults()
    if options.out.exists() and (not options.out.is_dir() or any(options.out.iterdir())):
        faults.add("folder", "is there and not empty", "name a new folder", file=str(options.out))
    if (options.size is None) == (options.match is None):
        faults.add(
            "options", "either --size or --match decides how many claims are made", "give one of the two", key="--size"
        )
    if options.size is not None and options.size < 1:
        faults.add("options", f"--size {options.size} makes nothing", "give 1 or more", key="--size")
    if options.country is not None and options.areas is not None:
        faults.add("options", "--country and --areas exclude each other", "give one of the two", key="--country")
    for given, name in (
        (options.nest, "--nest"),
        (options.postcodes, "--postcodes"),
        (options.boundaries, "--boundary"),
    ):
        if given and options.areas is None:
            faults.add(
                "options", f"{name} says something about given areas, and there are none", "add --areas", key=name
            )
    if options.match is not None and options.areas is None:
        faults.add("options", "--match needs the areas that its counts are of", "add --areas", key="--match")
    faults.raise_if_any()


def _ground(options: SynthOptions, folder: Path) -> _Ground:
    if options.areas is not None:
        return _given_ground(options, options.areas, folder.parent)
    boundaries: tuple[dict[str, Any], ...] = ()
    if options.country is not None:
        country = make_country(areas=options.country, seed=options.seed)
        areas, postcodes, title = country.areas, country.postcodes, "a made-up country"
        lookup, located = write_lookups(folder, areas=areas, postcodes=postcodes)
    else:
        city = make_city(seed=options.seed)
        areas, postcodes, title = city.areas, city.postcodes, "a made-up city"
        lookup, located, package = write_city(city, folder)
        boundaries = tuple(
            _boundary(level, Path("geography") / package.name, code="code", attribution=MADE_UP_LINES, layer=level)
            for level in city.boundaries
        )
    return _Ground(
        areas=areas,
        postcodes=postcodes,
        levels=tuple(MADE_LEVELS),
        lookup=Path("geography") / lookup.name,
        postcode_file=(Path("geography") / located.name, POSTCODE_COLUMN, POSTCODE_AREA),
        boundaries=boundaries,
        title=title,
    )


def _given_ground(options: SynthOptions, lookup: Path, folder: Path) -> _Ground:
    levels = _levels(lookup, options.nest)
    if options.consent and LARGE not in (level.name for level in levels):
        faults = Faults()
        found = f"makes a table for local authorities, and the areas given have no level {LARGE}"
        faults.add("options", found, "give a lookup with their codes", key="--consent")
        faults.raise_if_any()
    areas = read_areas(lookup, levels)
    postcodes, postcode_file = None, None
    if options.postcodes is not None:
        column, area = options.postcode_columns or ("pcds", levels[0].code)
        postcodes = read_postcodes(options.postcodes, postcode=column, area=area, areas=areas)
        postcode_file = (_from(options.out, options.postcodes), column, area)
    return _Ground(
        areas=areas, postcodes=postcodes, levels=levels, lookup=_from(options.out, lookup),
        postcode_file=postcode_file, boundaries=_given_boundaries(options, areas), title=_whole(areas),
    )  # fmt: skip


def _whole(areas: Areas) -> str:
    """The name of all areas together: of the smallest level with few areas, where they have names."""
    few = [names for names in areas.names if len(names) <= FEW_AREAS and all(names)]
    return " and ".join(few[0].tolist()) if few else "given areas"


def _given_boundaries(options: SynthOptions, areas: Areas) -> tuple[dict[str, Any], ...]:
    """One entry a level; files of one level, as of neighbouring authorities, stand in it together."""
    files: dict[str, list[Path]] = {}
    for level, path in options.boundaries:
        files.setdefault(level, []).append(path)
    faults = Faults()
    boundaries = []
    for level, paths in files.items():
        found = {path: find_codes(path, level, areas, faults) for path in paths}
        for path in paths[1:]:
            if None not in (found[path], found[paths[0]]) and found[path] != found[paths[0]]:
                faults.add(
                    "column",
                    f"has the codes of level {level} in another layer or column than {paths[0].name}",
                    "give files of one form for one level",
                    file=str(path),
                )
        layer, column = found[paths[0]] or (None, "")
        paths = [_from(options.out, path) for path in paths]
        boundaries.append(_boundary(level, *paths, code=column, attribution=options.attribution, layer=layer))
    faults.raise_if_any()
    return tuple(boundaries)


def _levels(lookup: Path, nest: Sequence[str]) -> tuple[Level, ...]:
    """Levels of a lookup: the columns named, or every column that is named like a code column, in its order."""
    header = _header(lookup)
    chosen = list(nest) or [name for name in header if CODE_COLUMN.match(name)]
    faults = Faults(lookup.name)
    names: list[str] = []
    for column in chosen:
        match = CODE_COLUMN.match(column)
        names.append((match.group(1) if match else column).lower().replace("_", "-"))
        if column not in header:
            faults.add("missing column", "is missing", "name a column of the lookup", row=1, column=column)
    if not chosen:
        faults.add("missing column", "no column is named like a code (oa21cd)", "name the columns with --nest", row=1)
    faults.raise_if_any()
    labels = {column.lower(): column for column in header}
    return tuple(
        Level(name, column, labels.get(f"{column[:-2].lower()}nm", "") if CODE_COLUMN.match(column) else "")
        for name, column in zip(names, chosen, strict=True)
    )


def _header(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as handle:
            return [name.strip().strip('"') for name in handle.readline().rstrip("\r\n").split(",")]
    except (OSError, UnicodeDecodeError):
        read_text_columns(path, ["oa21cd"])
        raise


def _claims(options: SynthOptions, ground: _Ground, folder: Path, progress: Progress) -> Made:
    spec = SyntheticSpec(
        reference_date=options.reference_date,
        size=options.size,
        seed=options.seed,
        format=options.format,
        files=options.files,
        consent=options.consent,
    )
    counts = None if options.match is None else _matched(options, options.match, ground)
    return make_records(
        spec,
        folder=folder,
        area_codes=ground.areas.codes[0],
        postcodes=ground.postcodes,
        counts=counts,
        progress=progress,
    )


def _matched(options: SynthOptions, path: Path, ground: _Ground) -> np.ndarray:
    """Claims per smallest area that equal the published counts of some level."""
    header = _header(path)
    faults = Faults(path.name)
    by_column = {level.code.lower(): at for at, level in enumerate(ground.levels)}
    code = next((name for name in header if name.lower() in by_column), None)
    value = next((name for name in header if name.lower() in ("value", "count", "claims")), None)
    if code is None:
        faults.add("missing column", "no column holds area codes", f"name it like one of {', '.join(by_column)}", row=1)
    if value is None:
        faults.add("missing column", "no column holds counts", "name it value or count", row=1)
    for column, _ in options.where:
        if column not in header:
            faults.add("missing column", "is missing", "name a column of this file in --where", row=1, column=column)
    faults.raise_if_any()
    assert code is not None and value is not None
    read = read_text_columns(path, [code, value, *(column for column, _ in options.where)])
    keep = np.ones(len(read.columns[code]), bool)
    for column, wanted in options.where:
        keep &= np.array(read.columns[column].to_pylist(), dtype=object) == wanted
    codes = np.array(read.columns[code].to_pylist(), dtype=object)[keep].tolist()
    values = np.array(read.columns[value].to_pylist(), dtype=object)[keep].tolist()
    for text in values:
        if not (text and text.isascii() and text.isdigit()):
            faults.add("count", "is no whole number", "give whole numbers", column=value)
    faults.raise_if_any()
    level = by_column[code.lower()]
    return match_counts(
        codes,
        [int(text) for text in values],
        level_codes=ground.areas.codes[level],
        level_of_area=ground.areas.ancestors(0, level),
        homes=homes(ground.areas.codes[0], ground.postcodes),
        seed=options.seed,
        file=path.name,
    )


def _release_file(options: SynthOptions, ground: _Ground, work: Path) -> str:
    """The release file, with comments for whoever makes it their own."""
    date = options.reference_date
    publication = _tuesday(date + dt.timedelta(days=170))
    document = tomlkit.document()
    document.add(tomlkit.comment("A release of made-up claims. Paths are taken from this file's folder."))
    document.add("release", _release_part(date, publication, ground))  # type: ignore[arg-type]
    contacts = tomlkit.aot()
    for role, name in (("Statistician", "Small area statistics team"), ("Press", "Press office")):
        contacts.append(_table(role=role, name=name, email="statistics@example.org"))
    document.add("contact", contacts)
    series = _table(id="benefits-small-areas", first=True, key_file="series.key")
    series.add(tomlkit.comment('instead of first = true, later on: previous = "../the-release-before"'))
    document.add("series", series)
    claims = _table(path="claims", end="inclusive")
    claims.add(tomlkit.comment("inclusive: a claim that ends on the reference date is still live on it"))
    document.add("claims", claims)
    document.add("geography", _geography_part(ground))
    protection = _table(method="controlled-rounding", base=5, min_count=5)
    protection.add(tomlkit.comment("min_count: the smallest count above 0 that may be told"))
    document.add("protection", protection)
    tables = tomlkit.aot()
    for id_, title, by in TABLES:
        tables.append(_table(id=id_, title=title, by=by))
    if options.consent:
        tables.append(_table(**BY_CONSENT))
    document.add("table", tables)
    return tomlkit.dumps(document)


def _release_part(date: dt.date, publication: dt.date, ground: _Ground) -> Any:
    return _table(
        title=f"Benefit claims in small areas of {ground.title}, {date:%B} {date.year}",
        summary=f"Live claims on {date.day} {date:%B} {date.year} by output area, and by the larger areas they make "
        f"up. {MADE_UP}.",
        reference_date=date,
        extract_date=date + dt.timedelta(days=128),
        publication=dt.datetime.combine(publication, dt.time(9, 30)),
        next_publication=publication + dt.timedelta(days=91),
        status="provisional",
        label="none",
        producer="Small area statistics team",
        population="claims",
        licence="OGL-UK-3.0",
        source=MADE_UP,
    )


def _geography_part(ground: _Ground) -> Any:
    part = _table(lookup=ground.lookup.as_posix())
    levels = tomlkit.aot()
    for level in ground.levels:
        singular, plural = LEVEL_WORDS.get(level.name, (level.name, f"{level.name} areas"))
        levels.append(_table(name=level.name, code=level.code, label=level.label, singular=singular, plural=plural))
    part.add("level", levels)
    if ground.postcode_file is not None:
        path, postcode, area = ground.postcode_file
        part.add("postcodes", _table(path=path.as_posix(), postcode=postcode, area=area))
    if ground.boundaries:
        boundaries = tomlkit.aot()
        for boundary in ground.boundaries:
            boundaries.append(_table(**boundary))
        part.add("boundary", boundaries)
    return part


def _table(**items: Any) -> Any:
    part = tomlkit.table()
    for name, value in items.items():
        part.add(name, value)
    return part


def _boundary(level: str, *paths: Path, code: str, attribution: str, layer: str | None = None) -> dict[str, Any]:
    names = [path.as_posix() for path in paths]
    told = {"level": level, "path": names if len(names) > 1 else names[0], "code": code, "attribution": attribution}
    return told | ({"layer": layer} if layer else {})


def _from(out: Path, path: Path) -> Path:
    """A given file as the release file in `out` names it."""
    return Path(os.path.relpath(os.path.abspath(path), os.path.abspath(out)))


def _tuesday(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=(1 - day.weekday()) % 7)


def _cannot_write(out: Path, error: OSError) -> InputError:
    faults = Faults()
    faults.add(
        "folder",
        f"cannot be written ({error.strerror})",
        "name a folder that this user may write, with room",
        file=str(out),
    )
    return InputError(faults.found)
