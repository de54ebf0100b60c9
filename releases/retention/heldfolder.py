"""A folder whose files are replaced or deleted together, and nothing outside it.

The folder is opened once and everything goes through that handle, so that neither a link nor a
renamed folder above can lead elsewhere.  Files are plain names in it: regular, with one name
only, on the folder's own file system, and not mounted over.

A run makes every new file in ``.smallarea-retention`` (mode 0700) inside the folder, then
writes ``plan.json`` there: that is the moment which decides.  Before it, nothing has been done,
and what a kill left is thrown away by the next run.  After it, the next run carries the plan
out to its end.  Each step of it looks whether it has been taken, and leaves a file alone that
is no longer the one the plan was made for.
"""

import contextlib
import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from common.faults import Fault, Faults, InputError
from releases.retention.holdings import HOLDINGS, STAGING

__all__ = ["Change", "HeldFolder", "Identity", "opened"]

PLAN = "plan.json"
FORMAT = "smallarea retention plan 1"
AT = Callable[[str], None]
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Identity:
    """What tells one content of a file from another without reading it."""

    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, found: os.stat_result) -> "Identity":
        """From what the operating system says of a file."""
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change.

    Attributes
    ----------
    was : what the file must still be when it is changed; None: whatever stands there.
    write : writes its new content; None: the file goes.
    if_whole : made only if no change before it had to be left out.
    """

    name: str
    was: Identity | None
    write: Callable[[IO[bytes]], None] | None = None
    mode: int = 0o600
    if_whole: bool = False


class HeldFolder:
    """An opened folder: see `opened`."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    def names(self) -> list[str]:
        """Everything in the folder."""
        return sorted(os.listdir(self._handle))

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        try:
            with self.open(name) as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._fault(name, f"cannot be read ({error.strerror})", "put a plain file there") from None

    def open(self, name: str) -> BufferedReader:
        """A file of the folder for reading; a link is not followed (OSError)."""
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._handle)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "no plain file")
        return os.fdopen(handle, "rb")

    def identity(self, name: str) -> Identity | None:
        """Which content a name has; None where there is nothing."""
        try:
            return Identity.of(os.stat(name, dir_fd=self._handle, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def check_file(self, name: str, faults: Faults) -> bool:
        """Whether the file is there; a fault where it may not be touched."""
        try:
            found = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        file = f"{self.path}/{name}"
        if not stat.S_ISREG(found.st_mode):
            faults.add("link", "is a link, a folder or no plain file", "put the file itself there", file=file)
        elif found.st_nlink > 1:
            mend = "remove the other names: deleting one would leave the data under another"
            faults.add("link", "has another name elsewhere (a hard link)", mend, file=file)
        elif found.st_dev != os.fstat(self._handle).st_dev or name in _mounted_in(self.path):
            faults.add("mount", "lies on another file system, mounted there", "put the file itself there", file=file)
        return True

    # --- Changing ---------------------------------------------------------------------------

    def unfinished(self) -> str:
        """What an earlier run left: ``plan`` (decided, not carried out), ``leftovers``, or nothing."""
        if STAGING not in self.names():
            return ""
        with self._staging() as staging:
            return "plan" if PLAN in os.listdir(staging) else "leftovers"

    def finish(self, at: AT = lambda step: None) -> tuple[str, ...]:
        """Carry out what an earlier run decided, or throw away what it left; names that were left alone."""
        if STAGING not in self.names():
            return ()
        try:
            with self._staging() as staging:
                left = self._carry_out(staging, at) if PLAN in os.listdir(staging) else ()
                self._clear(staging)
            os.rmdir(STAGING, dir_fd=self._handle)
        except OSError as error:
            raise self._plain(error) from error
        return left

    def change(self, changes: Sequence[Change], at: AT = lambda step: None) -> None:
        """Make all changes or none.

        Raises
        ------
        InputError
            The disk is full, or a file is no longer what it was when the run looked at it: nothing was changed, or,
            where that came after the decision, that file was left alone.
        """
        left: tuple[str, ...] = ()
        try:
            os.mkdir(STAGING, 0o700, dir_fd=self._handle)
            with self._staging() as staging:
                try:
                    self._stage(staging, changes, at)
                except BaseException:
                    if PLAN not in os.listdir(staging):
                        self._clear(staging)
                        os.rmdir(STAGING, dir_fd=self._handle)
                    raise
                left = self._carry_out(staging, at)
                self._clear(staging)
            os.rmdir(STAGING, dir_fd=self._handle)
        except OSError as error:
            raise self._plain(error) from error
        at("settled")
        if left:
            found = "was changed by somebody else while this ran, and was left alone"
            raise self._fault(left[0], found, "run again when nobody writes to it")

    @contextlib.contextmanager
    def _staging(self) -> Iterator[int]:
        try:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            handle = os.open(STAGING, flags, dir_fd=self._handle)
        except OSError:
            raise self._fault(STAGING, "is a link or a file, not the folder of an earlier run", "remove it") from None
        try:
            if os.fstat(handle).st_dev != os.fstat(self._handle).st_dev:
                raise self._fault(STAGING, "lies on another file system, mounted there", "unmount it")
            yield handle
        finally:
            os.close(handle)

    def _stage(self, staging: int, changes: Sequence[Change], at: AT) -> None:
        steps: list[dict[str, Any]] = []
        for number, change in enumerate(changes):
            fresh = None
            if change.write is not None:
                fresh = str(number)
                self._make(staging, fresh, change)
            was = None if change.was is None else [change.was.inode, change.was.size, change.was.changed]
            steps.append({"name": change.name, "was": was, "fresh": fresh, "if_whole": change.if_whole})
            at(f"staged {change.name}")
        for change in changes:
            if change.was is not None and self.identity(change.name) != change.was:
                mend = "run again when nobody writes to it"
                raise self._fault(change.name, "was changed by somebody else while this ran; nothing was done", mend)
        plan = json.dumps({"format": FORMAT, "steps": steps}).encode()
        _write_synced(staging, f"{PLAN}.new", lambda file: file.write(plan), 0o600)
        at("planned")
        os.rename(f"{PLAN}.new", PLAN, src_dir_fd=staging, dst_dir_fd=staging)
        os.fsync(staging)
        os.fsync(self._handle)
        at("decided")

    def _make(self, staging: int, fresh: str, change: Change) -> None:
        write = change.write
        if write is not None:
            _write_synced(staging, fresh, write, change.mode)

    def _carry_out(self, staging: int, at: AT) -> tuple[str, ...]:
        with os.fdopen(os.open(PLAN, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=staging), "rb") as file:
            plan = json.loads(file.read())
        left: list[str] = []
        for step in plan["steps"]:
            name, fresh = str(step["name"]), step["fresh"]
            now = self.identity(name)
            taken = fresh not in os.listdir(staging) if fresh is not None else now is None
            if taken or (step["if_whole"] and left):
                continue
            if step["was"] is not None and now != Identity(*step["was"]):
                left.append(name)
            elif fresh is not None:
                os.rename(fresh, name, src_dir_fd=staging, dst_dir_fd=self._handle)
            else:
                os.unlink(name, dir_fd=self._handle)
            at(f"done {name}")
        os.fsync(self._handle)
        return tuple(left)

    def _clear(self, staging: int) -> None:
        """Empty the staging folder, the plan last but for what it names: without new files it does nothing more."""
        names = os.listdir(staging)
        if PLAN in names:
            os.unlink(PLAN, dir_fd=staging)
            os.fsync(staging)
        for name in names:
            if name != PLAN:
                os.unlink(name, dir_fd=staging)

    def _fault(self, name: str, found: str, mend: str) -> InputError:
        return InputError([Fault(kind="folder", file=f"{self.path}/{name}", found=found, mend=mend)])

    def _plain(self, error: OSError) -> InputError:
        if error.errno in _FULL:
            found, mend = "the disk is full", "make room there and run again"
        else:
            found, mend = f"cannot be changed ({error.strerror})", "let this user write there, and run again"
        return InputError([Fault(kind="cannot write", file=str(self.path), found=found, mend=mend)])


def _write_synced(folder: int, name: str, write: Callable[[IO[bytes]], Any], mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=folder), "wb") as file:
        write(file)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def _mounted_in(folder: Path) -> set[str]:
    """Names in the folder that something is mounted at, as far as the system says."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return set()
    real = os.path.realpath(folder)
    points = [line.split()[4].encode("latin-1", "replace").decode("unicode_escape") for line in lines]
    return {os.path.basename(point) for point in points if os.path.dirname(point) == real}


@contextlib.contextmanager
def opened(path: Path, *, to_change: bool) -> Iterator[HeldFolder]:
    """Open a folder that has holdings; held against other runs until the block ends.

    Raises
    ------
    InputError
        It is missing, a link, no folder, has no holdings, or another run is at work on it.
    """
    faults = Faults(str(path))
    handle = -1
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        faults.add("folder", "there is no such folder", "name a folder that holds data")
    except OSError:
        faults.add("folder", "is a link, a file or closed to this user", "name the folder itself")
    faults.raise_if_any()
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if to_change else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            faults.add("busy", "another run of retention is at work on it", "wait for it to end")
        faults.raise_if_any()
        folder = HeldFolder(path, handle)
        if HOLDINGS not in folder.names():
            faults.add("folder", f"has no {HOLDINGS}", "write one: what it holds, for what, under which policy")
        faults.raise_if_any()
        yield folder
    finally:
        os.close(handle)
