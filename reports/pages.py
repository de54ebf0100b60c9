"""Turns templates into pages: the Jinja environment, its filters, and the front-end files that pages link to."""

import shutil
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader

from reports.statements import clock_time, long_date

__all__ = ["ASSET_FILES", "assets_path", "copy_assets", "file_size", "fill_page"]

MACROS = "govuk_frontend_jinja"
HERE = Path(__file__).resolve().parent
ASSET_FILES = ("site.css", "govuk-frontend.js", "site.js", "LICENCE-govuk-frontend.txt")


def assets_path(name: str) -> Path:
    """Path of a built front-end file.

    Raises
    ------
    FileNotFoundError
        The files were not built; installing smallarea builds them.
    """
    path = HERE / "assets" / name
    if not path.is_file():
        raise FileNotFoundError(f"the pages' file {name} is missing: install smallarea again (pip install -e .)")
    return path


def copy_assets(folder: Path) -> tuple[Path, ...]:
    """Copy the front-end files into `folder` (made if missing); the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(Path(shutil.copyfile(assets_path(name), folder / name)) for name in ASSET_FILES)


def fill_page(template: str, **values: Any) -> str:
    """The text of a page; everything filled in is escaped as HTML."""
    lines = (line.rstrip() for line in _environment().get_template(template).render(**values).splitlines())
    return "\n".join(line for line in lines if line) + "\n"


@cache
def _environment() -> Environment:
    # The GOV.UK macros look up settings of settings that are not there, which only this kind of undefined allows.
    environment = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader(HERE / "templates"), PrefixLoader({MACROS: PackageLoader(MACROS)})],
        ),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, long_date=long_date, clock_time=clock_time, file_size=file_size)
    return environment


def _number(value: int) -> str:
    return f"{value:,}"


def file_size(size: int) -> str:
    """A file's size as readers know it, such as ``14 kB`` or ``2.3 MB`` (1 kB = 1,000 bytes)."""
    if size < 1_000_000:
        return f"{max(1, round(size / 1000)):,} kB"
    return f"{size / 1_000_000:,.1f} MB"
