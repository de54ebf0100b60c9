"""Writes several files that belong together: all of them appear whole, or none does.

Each is made beside its target under a hidden name, synced, then renamed into
place, one after the other.  If a rename fails, those before it are taken back.
What a kill leaves between two renames is at worst one new and one old file,
each whole; the same command run again writes all of them.
"""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.faults import Fault, Faults, InputError
from releases.files.places import sync_folder

__all__ = ["Writing", "check_targets", "write_whole"]

PUBLIC_MODE, PRIVATE_MODE = 0o644, 0o600

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REASONS = {
    errno.EACCES: ("cannot be written: no right to write there", "ask for the right, or name a file elsewhere"),
    errno.EPERM: ("cannot be written: no right to write there", "ask for the right, or name a file elsewhere"),
    errno.EROFS: ("cannot be written: the file system is read-only", "name a file elsewhere"),
    errno.ENOENT: ("the folder it is to lie in is not there", "make the folder, or name another"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "name another folder"),
    errno.EISDIR: ("is a folder", "name a file in it"),
    errno.ENAMETOOLONG: ("the name is too long", "give a shorter name"),
}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """One file to write: `write` is given the path to write to; `private` files are for this user alone."""

    target: Path
    write: Callable[[Path], None]
    private: bool = False


def check_targets(targets: Mapping[str, Path], inputs: Sequence[Path]) -> None:
    """Refuse targets that cannot be written, that are each other, or that would take the place of an input.

    `targets` are paths by what a user calls them, such as ``--out``.

    Raises
    ------
    InputError
        With every reason.
    """
    faults = Faults()
    taken: dict[str, str] = {}
    for name, path in targets.items():
        real = os.path.realpath(path)
        if any(_same(path, source) for source in inputs):
            found = "is also read by this command, and would be lost"
            faults.add("same file", found, "name another file", file=str(path), key=name)
        if real in taken:
            found = f"is also what {taken[real]} is written to"
            faults.add("same file", found, "name another file", file=str(path), key=name)
        taken[real] = name
        _check_folder(name, path, faults)
    faults.raise_if_any()


def write_whole(writings: Sequence[Writing]) -> tuple[Path, ...]:
    """Write all files or none; returns their paths in the order given.

    Raises
    ------
    InputError
        A folder is missing or not writable, or the disk is full.
    """
    fresh = {writing.target: _hidden(writing.target, "new") for writing in writings}
    try:
        for writing in writings:
            with _plain_reasons(writing.target):
                _make(writing, fresh[writing.target])
        _put_all(fresh)
    finally:
        for path in fresh.values():
            path.unlink(missing_ok=True)
    return tuple(fresh)


def _same(path: Path, other: Path) -> bool:
    if os.path.realpath(path) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(path, other)
    except (OSError, ValueError):
        return False


def _check_folder(name: str, path: Path, faults: Faults) -> None:
    folder = path.parent
    number = 0
    try:
        if path.is_dir():
            number = errno.EISDIR
        elif not folder.exists():
            number = errno.ENOENT
        elif not folder.is_dir():
            number = errno.ENOTDIR
        elif not os.access(folder, os.W_OK | os.X_OK):
            number = errno.EACCES
    except OSError as error:
        number = error.errno or errno.EACCES
    if number:
        found, mend = _REASONS.get(number, _REASONS[errno.EACCES])
        faults.add("folder", found, mend, file=str(path), key=name)


def _hidden(target: Path, what: str) -> Path:
    """A name beside the target that keeps its ending, by which writers choose the format."""
    return target.with_name(f".{target.stem}.{os.getpid()}.{what}{target.suffix}")


def _make(writing: Writing, path: Path) -> None:
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE))
    writing.write(path)
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(handle, PRIVATE_MODE if writing.private else PUBLIC_MODE & ~_umask())
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _put_all(fresh: Mapping[Path, Path]) -> None:
    """Rename every new file into place; on failure put back what stood there before."""
    before: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for target, path in fresh.items():
            with _plain_reasons(target):
                if os.path.lexists(target):
                    before[target] = _set_by(target)
                os.replace(path, target)
                done.append(target)
        for folder in {target.parent for target in fresh}:
            with _plain_reasons(folder):
                sync_folder(folder)
    except BaseException:
        for target in fresh:
            if target in before:
                os.replace(before[target], target)
            elif target in done:
                target.unlink(missing_ok=True)
        raise
    finally:
        for old in before.values():
            old.unlink(missing_ok=True)


def _set_by(target: Path) -> Path:
    """Keep the file that stands at the target under a hidden name too."""
    old = _hidden(target, "old")
    old.unlink(missing_ok=True)
    try:
        os.link(target, old, follow_symlinks=False)
    except OSError:  # a file system without hard links
        os.rename(target, old)
    return old


@contextlib.contextmanager
def _plain_reasons(target: Path) -> Iterator[None]:
    """Turn what the operating system says into a fault that a person can mend."""
    try:
        yield
    except OSError as error:
        found, mend = _REASONS.get(error.errno or 0, (None, None))
        if error.errno in _FULL or "No space left" in str(error) or "File too large" in str(error):
            found, mend = "the disk is full; nothing was written", "make room there or name another folder"
        if found is None or mend is None:
            found, mend = f"cannot be written ({error.strerror or 'unknown reason'})", "name a file elsewhere"
        raise InputError([Fault(kind="cannot write", file=str(target), found=found, mend=mend)]) from error
