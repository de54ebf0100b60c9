"""The record of keys as a file: ``[[key]]`` with id, purpose, since, held_by and, later, retired and replaced_by."""

import datetime as dt
import stat
from pathlib import Path

from claimants.custody import Custody, HeldKey
from common.faults import Fault, InputError
from releases.files.tomlfile import Part, read_model

__all__ = ["is_open_to_others", "read_custody"]


class _Key(Part):
    id: str
    purpose: str
    since: dt.date
    held_by: str
    retired: dt.date | None = None
    replaced_by: str = ""


class _Keys(Part):
    key: tuple[_Key, ...] = ()


def read_custody(path: Path) -> Custody:
    """The record of keys in a TOML file.

    Raises
    ------
    InputError
        The file cannot be read, or the keys break a rule of `claimants.custody`.
    """
    read = read_model(path, _Keys, "a record of keys")
    try:
        return Custody(keys=tuple(HeldKey(**one.model_dump()) for one in read.key))
    except ValueError as error:
        fault = Fault(kind="custody", file=str(path), key="key", found=str(error), mend="correct the record")
    raise InputError([fault])


def is_open_to_others(path: Path) -> bool:
    """Whether anybody but its owner may read or write a file."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
