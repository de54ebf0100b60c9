"""The protection methods that ``protect`` offers, each by the name of its ``--method``."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.progress import SILENT, Progress
from releases.keyfiles import find_key
from sdc.attack.intervals import Intervals
from sdc.presentation import Band, shown_table
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rules.settings import Settings
from sdc.tables import SafeTable, Table

__all__ = ["METHODS", "Asked", "Protected", "check_settings", "protect_by"]

LEAKS = "small counts can be worked out; --attack tells which"


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What a method works on.

    Attributes
    ----------
    name : what the table is called in reports.
    alone : whether nothing else of the same people is named as already public.
    """

    table: Table
    settings: Settings
    bands: tuple[Band, ...] = ()
    name: str
    key_file: Path | None = None
    alone: bool = True
    progress: Progress = SILENT


@dataclass(frozen=True, kw_only=True, eq=False)
class Protected:
    """A protected table.

    Attributes
    ----------
    report : how it went, as plain data, for the private report alone.
    told : what the table's own marks tell besides its values; None where they tell nothing.
    notices : what the user must know.
    """

    safe: SafeTable
    report: dict[str, Any] | None = None
    told: Intervals | None = None
    notices: tuple[str, ...] = ()


def check_settings(settings: Settings) -> None:
    """Refuse settings under which the method has no solution, before anything is read.

    Raises
    ------
    Infeasible
        The base of a rounding is below min_count.
    """
    if settings.method == "controlled-rounding":
        ControlledRounding(base=settings.base, min_count=settings.min_count)


def protect_by(asked: Asked) -> Protected:
    """Protect a table by the method that its settings name.

    Raises
    ------
    InputError
        No key is there, or the bands of a profile are of no one method.
    Infeasible
        The method has no solution under what was asked.
    """
    return METHODS[asked.settings.method](asked)


def _controlled(asked: Asked) -> Protected:
    key, drawn = _key(asked)
    spec = ControlledRounding(base=asked.settings.base, min_count=asked.settings.min_count)
    tables, path = round_controlled({asked.name: asked.table}, spec=spec, key=key, progress=asked.progress)
    return Protected(safe=tables[asked.name], report=asdict(path), notices=(drawn, *_alone(asked)))


def _alone(asked: Asked) -> tuple[str, ...]:
    if not asked.alone or not len(asked.table.classification):
        return ()
    return (
        "totals are drawn for this table alone: another table of the same people that is protected apart may show "
        "others, which tells more of both; name the first with --already-public when you protect the second",
    )


def _conventional(asked: Asked) -> Protected:
    asked.progress.step("rounding")
    notice = f"conventional rounding leaks by itself: totals are rounded apart from their parts, so that {LEAKS}"
    if asked.bands:
        safe, told = shown_table(asked.table, asked.bands, min_count=asked.settings.min_count)
        return Protected(safe=safe, told=told, notices=(notice,))
    safe = round_conventional(asked.table, base=asked.settings.base, min_count=asked.settings.min_count)
    return Protected(safe=safe, notices=(notice,))


def _key(asked: Asked) -> tuple[bytes, str]:
    key, whence = find_key(asked.key_file)
    return key, f"drawn with the key in {whence}"


METHODS: dict[str, Callable[[Asked], Protected]] = {
    "controlled-rounding": _controlled,
    "conventional-rounding": _conventional,
}
