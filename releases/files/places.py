"""A folder that is to appear whole, the staging folder beside it, and one step of putting the new one in place."""

import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["STAGING_SUFFIX", "Place", "exchange", "inode", "put", "sync_folder", "take_back"]

STAGING_SUFFIX = ".smallarea-staging"
AT_FDCWD = -100
RENAME_EXCHANGE = 2
# What the kernel says where a file system cannot exchange: unknown flag, call or operation.
CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that is to appear whole, and the staging folder beside it."""

    target: Path

    @property
    def staging(self) -> Path:
        """The hidden folder beside the target in which everything is made."""
        return self.target.parent / f".{self.target.name}{STAGING_SUFFIX}"

    @property
    def lock(self) -> Path:
        """Held by the process at work."""
        return self.staging / "lock"

    @property
    def fresh(self) -> Path:
        """The new folder until the exchange, the old one after it."""
        return self.staging / "new"

    @property
    def old(self) -> Path:
        """Where the old folder is set aside if the two cannot be exchanged in one step."""
        return self.staging / "old"

    @property
    def work(self) -> Path:
        """Spilled working files."""
        return self.staging / "work"

    @property
    def journal(self) -> Path:
        """There from the start of the work until the exchange is settled."""
        return self.staging / "journal.json"


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where kernel or file system cannot (nothing is changed then).

    Raises
    ------
    OSError
        The exchange failed for another reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    code = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)
    if code == 0:
        return True
    number = ctypes.get_errno()
    if number in CANNOT_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(place: Place, aside: Callable[[], None] = lambda: None) -> None:
    """Put the new folder in its place: one rename, one exchange, or two renames with `aside` called between."""
    if not os.path.lexists(place.target):
        os.rename(place.fresh, place.target)
    elif not exchange(place.fresh, place.target):
        os.rename(place.target, place.old)
        aside()
        os.rename(place.fresh, place.target)
    sync_folder(place.target.parent)
    sync_folder(place.staging)


def take_back(place: Place, new: int) -> None:
    """Undo `put`, however far it came; `new` is the inode number of the new folder."""
    if inode(place.target) == new:
        if place.old.exists() or not place.fresh.exists():
            os.rename(place.target, place.fresh)
        elif not exchange(place.fresh, place.target):
            # Exchanged by a kernel that can no longer do so: cannot happen within one run.
            raise OSError(errno.ENOTSUP, "cannot exchange back", str(place.target))
    if place.old.exists() and not os.path.lexists(place.target):
        os.rename(place.old, place.target)
    sync_folder(place.target.parent)


def inode(path: Path) -> int | None:
    """Inode number, which a rename keeps; None where there is nothing."""
    try:
        return os.lstat(path).st_ino
    except FileNotFoundError:
        return None
