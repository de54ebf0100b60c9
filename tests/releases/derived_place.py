"""The small place with public files of denominators and of survey estimates, and a release file that uses them."""

from pathlib import Path

import tomlkit
from small_place import AREAS

AREAS_OF = {
    "oa": AREAS,
    "lsoa": sorted({f"E019{area[4:7]}00" for area in AREAS}),
    "msoa": sorted({f"E029{area[4:6]}000" for area in AREAS}),
    "lad": sorted({f"E089{area[4]}0000" for area in AREAS}),
}
BANDS = ("Y16T24", "Y25T34", "Y35T44", "Y45T54", "Y55T64", "Y_GE65")

RESIDENTS = {
    "id": "residents",
    "title": "Residents aged 16 and over",
    "path": "residents.csv",
    "level": ["lsoa", "lad"],
    "reference_date": "2025-06-30",
    "source": "Made-up population estimates",
    "attribution": "Contains made-up population data",
    "status": "experimental",
}
AGES = {
    **RESIDENTS,
    "id": "ages",
    "title": "Residents by age",
    "path": "ages.csv",
    "by": "age_band",
    "status": "official",
}
RATE = {"id": "claim-rate", "title": "Claims per 1,000 residents", "of": "age", "denominator": "residents"}
AGE_RATE = {"id": "age-rate", "title": "Rates by age", "of": "age", "denominator": "ages", "per": 100, "decimals": 2}
SURVEY = {
    "id": "need",
    "title": "People who say that they need help",
    "path": "survey.csv",
    "level": "lad",
    "unit": "per cent",
    "period": "April 2025 to March 2026",
    "base": "base",
    "min_base": 30,
    "source": "Made-up survey of households",
    "status": "in development",
}


def write_residents(folder: Path, *, levels: tuple[str, ...] = ("lsoa", "lad")) -> Path:
    """A denominator of 100 for the first area of a level, 101 for the next, and so on."""
    rows = [f"{area},{100 + place}" for level in levels for place, area in enumerate(AREAS_OF[level])]
    return write(folder / "residents.csv", ["area,value", *rows])


def write_ages(folder: Path, changed: dict[tuple[str, str], str] | None = None) -> Path:
    """A denominator of 50 for every band of every LSOA and authority, but where `changed` says otherwise."""
    rows = [
        f"{area},{band},{(changed or {}).get((area, band), '50')}"
        for level in ("lsoa", "lad")
        for area in AREAS_OF[level]
        for band in BANDS
    ]
    return write(folder / "ages.csv", ["area,age_band,value", *rows])


def write_survey(folder: Path, *rows: str, header: str = "area,estimate,lower,upper,base") -> Path:
    given = rows or ("E08910000,12.34,10.0,14.94,80", "E08920000,7.05,3,11.1,29")
    return write(folder / "survey.csv", [header, *given])


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def append(path: Path, line: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")


def with_parts(release: Path, **parts: list[dict[str, object]]) -> Path:
    """The release file with its parts `denominator`, `rate`, `estimate` or `table` set to these; dates as text are dates."""
    document = tomlkit.parse(release.read_text(encoding="utf-8"))
    for name, listed in parts.items():
        if name in document:
            del document[name]
        array = tomlkit.aot()
        for one in listed:
            table = tomlkit.table()
            for key, value in one.items():
                table[key] = tomlkit.date(value) if key == "reference_date" else value
            array.append(table)
        document[name] = array
    release.write_text(tomlkit.dumps(document), encoding="utf-8")
    return release


def with_all(release: Path) -> Path:
    """The release file with one table by age, rates on both denominators and the survey, their files beside it."""
    folder = release.parent
    write_residents(folder)
    write_ages(folder, {(AREAS_OF["lsoa"][0], "Y16T24"): "0", (AREAS_OF["lsoa"][1], "Y25T34"): ""})
    write_survey(folder)
    return with_parts(
        release,
        table=[{"id": "age", "title": "Claims by age", "by": ["age_band"]}],
        denominator=[RESIDENTS, AGES],
        rate=[RATE, AGE_RATE],
        estimate=[SURVEY],
    )
