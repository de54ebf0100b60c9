"""The protection methods that ``protect`` offers, each by the name of its ``--method``."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from common.faults import Fault, InputError
from common.progress import SILENT, Progress
from releases.keyfiles import find_key
from releases.ptables import read_ptable
from sdc.attack.intervals import Intervals
from sdc.attack.noise import audit_noise
from sdc.attack.noisebounds import noise_intervals
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import DEFAULT_RANGE, key_sums
from sdc.cellkey.perturb import CellKey, protect_by_cell_key
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.findings import Audit
from sdc.presentation import Band, shown_table
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rules.settings import Settings
from sdc.tables import SafeTable, Table

__all__ = ["METHODS", "Asked", "Protected", "check_settings", "protect_by"]

Spec = TypeVar("Spec")

LEAKS = "small counts can be worked out; --attack tells which"


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What a method works on.

    Attributes
    ----------
    name : what the table is called in reports.
    keys : sums of record keys by finest cell, see `releases.counts.Counted`; None where there are none.
    ptable, key_range : a ptable file to use instead of a designed one, and the range of keys.
    alone : whether nothing else of the same people is named as already public.
    """

    table: Table
    settings: Settings
    bands: tuple[Band, ...] = ()
    name: str
    key_file: Path | None = None
    keys: np.ndarray | None = None
    ptable: Path | None = None
    key_range: int = DEFAULT_RANGE
    alone: bool = True
    progress: Progress = SILENT


@dataclass(frozen=True, kw_only=True, eq=False)
class Protected:
    """A protected table.

    Attributes
    ----------
    report : how it went, as plain data, for the private report alone.
    told : what marks or a known ptable tell besides the values; None where nothing is told.
    attack : what else an attacker of this method tries, given what is known besides.
    notices : what the user must know.
    """

    safe: SafeTable
    report: dict[str, Any] | None = None
    told: Intervals | None = None
    attack: Callable[[Intervals | None], Audit] | None = None
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


def _cell_key(asked: Asked) -> Protected:
    settings = asked.settings
    ptable, notices = _ptable(asked)
    spec = _valid(
        lambda: CellKey(ptable=ptable, key_range=asked.key_range, min_count=settings.min_count), "--key-range"
    )
    key, drawn = (b"", "") if asked.keys is not None else _key(asked)
    hierarchy, classification = asked.table.hierarchy, asked.table.classification
    record_keys = None
    if asked.keys is not None:
        with_total = bool(len(classification))
        record_keys = key_sums(hierarchy, asked.keys, key_range=asked.key_range, with_total=with_total)
    safe, report = protect_by_cell_key(
        asked.table, spec=spec, key=key, record_keys=record_keys, progress=asked.progress
    )

    def attack(known: Intervals | None) -> Audit:
        bounds = {} if known is None else {asked.name: known}
        return audit_noise({asked.name: safe}, spec.in_keys(), min_count=settings.min_count, known=bounds)

    return Protected(
        safe=safe,
        report=report.as_dict(),
        told=noise_intervals(safe, spec.in_keys()),
        attack=attack,
        notices=(*((drawn,) if drawn else ()), *notices, *report.notices),
    )


def _ptable(asked: Asked) -> tuple[PTable | KeyTable, tuple[str, ...]]:
    """The ptable of the file given, else one designed from the settings, and what the designer has to say."""
    if asked.ptable is not None:
        return read_ptable(asked.ptable, key_range=asked.key_range), ()
    settings = asked.settings
    spec = _valid(
        lambda: PTableSpec(
            bound=settings.max_noise or PTableSpec.bound,
            blocked=settings.min_count - 1 if settings.never_shown is None else settings.never_shown,
            variance=settings.variance,
            stay=settings.stay or 0.0,
        ),
        "--noise-bound",
    )
    designed = design_ptable(spec)
    return designed.ptable, designed.notices


def _valid(make: Callable[[], Spec], option: str) -> Spec:
    """A spec, or its refusal in a user's words."""
    try:
        return make()
    except ValueError as error:
        raise InputError([Fault(kind="option", key=option, found=str(error), mend="correct it")]) from None


def _key(asked: Asked) -> tuple[bytes, str]:
    key, whence = find_key(asked.key_file)
    return key, f"drawn with the key in {whence}"


METHODS: dict[str, Callable[[Asked], Protected]] = {
    "controlled-rounding": _controlled,
    "conventional-rounding": _conventional,
    "cell-key": _cell_key,
}
