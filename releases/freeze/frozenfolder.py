"""A store of frozen extracts: one folder a quarter and status, each appearing whole or not at all and never changed.

    OUT/2026-05-31-provisional/    claims.parquet  claims.toml  manifest.json
    OUT/2026-05-31-revised/        claims.parquet  claims.toml  late.json  manifest.json

All folders have mode 0700 and all files 0600.  A frozen extract is made in a hidden folder beside
its place and moved there in one step.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.faults import Fault, Faults, InputError
from releases.files.places import sync_folder
from releases.files.privatefolder import check_private_folder
from releases.publish.manifest import plain_hash

__all__ = ["CLAIMS", "FORMAT", "FRAGMENT", "LATE", "MANIFEST", "Store", "held_store"]

FORMAT = "smallarea frozen extract 1"
CLAIMS, FRAGMENT, LATE, MANIFEST = "claims.parquet", "claims.toml", "late.json", "manifest.json"
FOLDER_MODE, FILE_MODE = 0o700, 0o600
STATUSES = ("provisional", "revised")


@dataclass(frozen=True, kw_only=True)
class Store:
    """The folder that holds frozen extracts, and the one that is being made."""

    out: Path
    name: str

    @property
    def target(self) -> Path:
        """Where the frozen extract will stand."""
        return self.out / self.name

    @property
    def fresh(self) -> Path:
        """The hidden folder in which it is made."""
        return self.out / f".{self.name}.new"

    def put(self) -> bool:
        """Move the finished folder into place; False if it stood there already, to the last byte.

        Raises
        ------
        InputError
            Another frozen extract of that quarter and status stands there.
        """
        if self.target.exists():
            if not _same(self.fresh, self.target):
                found = f"{self.target} holds other content, and a frozen extract is never changed"
                mend = "freeze what was learnt since as revised (status of the release), or name another folder"
                raise _fault(self.out, found, mend)
            shutil.rmtree(self.fresh)
            return False
        with _plain_reasons(self.out):
            for path in sorted(self.fresh.iterdir()):
                path.chmod(FILE_MODE)
                _sync(path)
            sync_folder(self.fresh)
            os.rename(self.fresh, self.target)
            sync_folder(self.out)
        return True


@contextlib.contextmanager
def held_store(out: Path, name: str, *, inputs: tuple[Path, ...]) -> Iterator[Store]:
    """The store with an empty hidden folder to fill; whatever was not put in place goes at the end.

    Raises
    ------
    InputError
        The folder lies in a public release, cannot be written, holds what is read, or another process is at work there.
    """
    store = Store(out=out, name=name)
    _check(store, inputs)
    made = not out.exists()
    with contextlib.ExitStack() as stack:
        with _plain_reasons(out):
            if made:
                out.mkdir(mode=FOLDER_MODE)
            out.chmod(FOLDER_MODE)
            handle = os.open(out, os.O_RDONLY)
        stack.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _fault(out, "another command is at work there", "wait until it has ended") from None
        try:
            with _plain_reasons(out):
                shutil.rmtree(store.fresh, ignore_errors=True)  # of a run that was killed
                store.fresh.mkdir(mode=FOLDER_MODE)
            yield store
        finally:
            shutil.rmtree(store.fresh, ignore_errors=True)
            if made and not any(out.iterdir()):
                out.rmdir()


def manifest_in(folder: Path) -> dict[str, Any] | None:
    """The manifest of a frozen extract, or None where there is none."""
    try:
        plain = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return plain if isinstance(plain, dict) and plain.get("format") == FORMAT else None


def _check(store: Store, inputs: tuple[Path, ...]) -> None:
    faults = Faults()
    mark, names = (MANIFEST, FORMAT), (CLAIMS, FRAGMENT, LATE, MANIFEST)
    check_private_folder(
        store.target if store.out.is_dir() else store.out, names, mark=mark, inputs=inputs, faults=faults
    )
    if store.out.is_dir():
        own = {f"{day}-{status}" for day in _days(store.out) for status in STATUSES}
        strange = [path for path in store.out.iterdir() if path.name not in own and not path.name.startswith(".")]
        if strange:
            faults.add("folder", "holds something else than frozen extracts", "name a new or empty folder", key="--out")
    faults.raise_if_any()


def _days(out: Path) -> set[str]:
    return {path.name[:10] for path in out.iterdir() if path.is_dir() and manifest_in(path) is not None}


def _same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    return all(plain_hash(one / name) == plain_hash(other / name) for name in names)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fault(out: Path, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="folder", file=str(out), key="--out", found=found, mend=mend)])


@contextlib.contextmanager
def _plain_reasons(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _fault(out, f"cannot be written ({error.strerror or 'unknown reason'})", "name another folder") from None
