"""What a protection method is given, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from common.faults import Fault, InputError
from common.progress import SILENT, Progress
from releases.files.keyfiles import find_key
from releases.rules.methodoptions import MethodOptions
from sdc.attack.changes import Changes
from sdc.attack.intervals import Intervals
from sdc.findings import Audit
from sdc.presentation import Band
from sdc.rules.settings import Settings
from sdc.system import SafeCells
from sdc.tables import SafeTable, Table

__all__ = ["LEAKS", "Asked", "Protected", "ProtectedCells", "valid", "with_key"]

Spec = TypeVar("Spec")

LEAKS = "small counts can be worked out; --attack tells which"


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """What a method works on.

    Attributes
    ----------
    name : what the table is called in reports.
    options : what is asked of the method beside its settings.
    bands : how a profile shows counts.
    keys : sums of record keys by finest cell, see `releases.counts.intable.Counted`; None where there are none.
    sensitive : dimensions in which no small group may be exposed.
    known : bounds that a reader has from what is already public; None for none.
    alone : whether nothing else of the same people is named as already public.
    """

    table: Table
    settings: Settings
    name: str
    options: MethodOptions = field(default_factory=MethodOptions)
    bands: tuple[Band, ...] = ()
    key_file: Path | None = None
    keys: np.ndarray | None = None
    sensitive: tuple[str, ...] = ()
    known: Intervals | None = None
    alone: bool = True
    progress: Progress = SILENT


@dataclass(frozen=True, kw_only=True, eq=False)
class Protected:
    """A protected table.

    Attributes
    ----------
    report : how it went, as plain data, for the private report alone.
    status : why each cell is shown or not, per level and of the table's shape; None where that follows from the values.
    intervals : what a reader can prove of each cell, where the method has worked that out.
    told : what marks or a known ptable tell besides the values; None where nothing is told.
    attack : what else an attacker of this method tries, given what is known besides.
    notices : what the user must know.
    """

    safe: SafeTable
    report: dict[str, Any] | None = None
    status: tuple[np.ndarray, ...] | None = None
    intervals: Intervals | None = None
    told: Intervals | None = None
    attack: Callable[[Intervals | None], Audit] | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class ProtectedCells:
    """A protected cube; everything per cell is in the order of ``cube.system()``.

    Attributes
    ----------
    report : how it went, as plain data, for the private report alone.
    status : why each cell is shown or not, as text; None where that follows from the values.
    bounds : lo and hi of what a reader can prove of each cell, where the method has worked that out.
    changes : by which the published cells are proven to be safe, for those who attack them.
    attack : the attack that this method needs, where it is not that on any cells.
    notices : what the user must know.
    """

    cells: SafeCells
    report: dict[str, Any]
    status: np.ndarray | None = None
    bounds: tuple[np.ndarray, np.ndarray] | None = None
    changes: Changes | None = None
    attack: Callable[[], Audit] | None = None
    notices: tuple[str, ...] = ()


def with_key(asked: Asked) -> tuple[bytes, str]:
    """The key, and a notice that says where it is.

    Raises
    ------
    InputError
        No key is there.
    """
    key, whence = find_key(asked.key_file)
    return key, f"drawn with the key in {whence}"


def valid(make: Callable[[], Spec], option: str) -> Spec:
    """A spec, or its refusal in a user's words (raises InputError)."""
    try:
        return make()
    except ValueError as error:
        raise InputError([Fault(kind="option", key=option, found=str(error), mend="correct it")]) from None
