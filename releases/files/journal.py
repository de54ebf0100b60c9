"""How a folder takes another's place, and how a later command mends what a killed one left.

A folder DIR is made anew in ``.DIR.smallarea-staging`` beside it (mode 0700):

=================  ==========================================================
``lock``           held (flock) by the living process at work; a dead one's lock is free
``new``            the folder being made; after the exchange it is the old folder
``old``            the old folder, where the file system cannot exchange two folders
``work``           spilled working files
``journal.json``   what is being exchanged: there from the start until the exchange is settled
=================  ==========================================================

The journal names the new folders by inode number, which a rename keeps, so one
question decides what a crash left: is the new release folder in its place?

* It is: the release was exchanged.  The review folder is brought up to it.
* It is not: nothing was published.  An old folder that was set aside goes back.

Either way release and review match, and what else lies in staging is rubbish.
The staging folder of a review folder holds a journal that points to its
release, since the two may have different parents.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from common.faults import Fault, InputError
from releases.files.places import STAGING_SUFFIX, Place, inode, put, sync_folder, take_back

__all__ = [
    "Journal",
    "busy",
    "held",
    "mend",
    "mend_all",
    "read_journal",
    "settle",
    "withdraw",
    "write_journal",
]

FORMAT = "smallarea journal 1"


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What is being exchanged: places with the inode number of each new folder; `review` None where there is none."""

    release: Place
    release_inode: int
    review: Place | None = None
    review_inode: int = 0

    @property
    def places(self) -> tuple[tuple[Place, int], ...]:
        """Release first: its exchange is what decides."""
        both = ((self.release, self.release_inode),)
        return both if self.review is None else (*both, (self.review, self.review_inode))


# --- The journal --------------------------------------------------------------------------------


def write_journal(journal: Journal) -> None:
    """Write the journal durably, and a pointer to it beside the review folder, before anything is put in place."""
    review = journal.review
    if review is not None:
        _write(review, {"format": FORMAT, "kind": "pointer", "release": str(journal.release.target)})
    plain = {
        "format": FORMAT,
        "kind": "release",
        "release_inode": journal.release_inode,
        "review": None if review is None else str(review.target),
        "review_inode": journal.review_inode,
    }
    _write(journal.release, plain)


def _write(place: Place, plain: dict[str, object]) -> None:
    draft = place.journal.with_suffix(".draft")
    with open(draft, "w", encoding="utf-8") as file:
        json.dump(plain, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, place.journal)
    sync_folder(place.staging)


def read_journal(place: Place) -> Journal | None:
    """The journal of a release place; None where there is none, or only a pointer."""
    plain = _read(place)
    if plain is None or plain.get("kind") != "release":
        return None
    review = plain.get("review")
    return Journal(
        release=place,
        release_inode=int(str(plain["release_inode"])),
        review=None if review is None else Place(target=Path(str(review))),
        review_inode=int(str(plain["review_inode"])),
    )


def _read(place: Place) -> dict[str, object] | None:
    try:
        plain = json.loads(place.journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unmendable(place, "the journal of an earlier command cannot be read") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise _unmendable(place, "the journal of an earlier command has an unknown form")
    return plain


def settle(journal: Journal) -> None:
    """Remove the journal: what lies in staging from now on is rubbish."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(journal.release.journal)
    sync_folder(journal.release.staging)


def withdraw(journal: Journal) -> None:
    """Undo whatever was put in place, review first; does nothing once the journal is settled."""
    if not journal.release.journal.exists():
        return
    for place, new in reversed(journal.places):
        take_back(place, new)
    settle(journal)


def _recover(journal: Journal) -> None:
    """Bring release and review together after a crash, by the one question of this module."""
    if inode(journal.release.target) == journal.release_inode:
        review = journal.review
        if review is not None and inode(review.target) != journal.review_inode:
            if inode(review.fresh) != journal.review_inode:
                raise _unmendable(review, "the review folder of a release that was exchanged is gone")
            put(review)
    elif journal.release.old.exists() and not os.path.lexists(journal.release.target):
        os.rename(journal.release.old, journal.release.target)
        sync_folder(journal.release.target.parent)
    settle(journal)


# --- Locks and mending --------------------------------------------------------------------------


@contextlib.contextmanager
def held(place: Place) -> Iterator[None]:
    """Hold a place's lock, after mending what a dead process left; staging is empty but for the lock.

    On the way out the staging folder goes, unless its release's journal is
    still there: then it is what the next command needs for mending.

    Raises
    ------
    InputError
        A living process holds the lock, the staging folder is not ours, or
        what was left cannot be mended.
    """
    handle = _take(place)
    if handle is None:
        raise InputError([busy(place)])
    try:
        _mend_held(place)
        _empty(place)
        yield
    finally:
        try:
            if not _needed(place):
                _clear(place)
        finally:
            os.close(handle)


def mend(target: Path) -> bool:
    """Mend what a killed command left at a release or review folder; True if there was anything.

    A living process is never disturbed: where one is at work nothing is done,
    nor where the staging folder is another user's or cannot be written.

    Raises
    ------
    InputError
        What was left cannot be mended without a person.
    """
    place = Place(target=Path(os.path.abspath(target)))
    if not place.staging.is_dir() or place.staging.is_symlink() or place.staging.stat().st_uid != os.geteuid():
        return False
    try:
        with held(place):
            return True
    except InputError as error:
        if all(fault.kind == "busy" for fault in error.faults):
            return False
        raise
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return False  # a reader may look at a folder that only its writer can mend
        raise


def mend_all(parent: Path) -> tuple[Path, ...]:
    """Mend everything that killed commands left in a folder; the targets that were mended."""
    names = sorted(entry.name for entry in os.scandir(parent) if entry.name.endswith(STAGING_SUFFIX))
    targets = [parent / name[1 : -len(STAGING_SUFFIX)] for name in names if name.startswith(".")]
    return tuple(target for target in targets if mend(target))


def _take(place: Place) -> int | None:
    """Take the lock: an open file handle, or None where a living process has it."""
    while True:
        with contextlib.suppress(FileExistsError):
            os.mkdir(place.staging, 0o700)
        _refuse_strange(place)
        try:
            handle = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            continue  # another process removed the staging folder in between
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        # The lock counts only while the path still names the file we locked.
        if inode(place.lock) == os.fstat(handle).st_ino:
            return handle
        os.close(handle)


def _refuse_strange(place: Place) -> None:
    found = None
    with contextlib.suppress(FileNotFoundError):
        found = os.lstat(place.staging)
    if found is not None and (not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid()):
        raise _unmendable(place, "what stands in the place of the staging folder is not a folder of this user")


def _mend_held(place: Place) -> None:
    """Recover a place whose lock we hold, whether it is a release's or a review's."""
    plain = _read(place)
    if plain is None:
        return
    if plain.get("kind") == "pointer":
        release = Place(target=Path(str(plain["release"])))
        if _points_here(release, place):
            with _locked(release):
                journal = read_journal(release)
                if journal is not None and journal.review == place:
                    _recover(journal)
                    _empty(release)
        return
    journal = read_journal(place)
    if journal is None:
        return
    if journal.review is None or not journal.review.staging.is_dir():
        _recover(journal)
        return
    with _locked(journal.review):
        _recover(journal)
        _empty(journal.review)


@contextlib.contextmanager
def _locked(place: Place) -> Iterator[None]:
    handle = _take(place)
    if handle is None:
        raise InputError([busy(place)])
    try:
        yield
        if not _needed(place) and not any(entry.name != "lock" for entry in os.scandir(place.staging)):
            _clear(place)
    finally:
        os.close(handle)


def _needed(place: Place) -> bool:
    """Whether a journal that is not settled still needs this staging folder."""
    plain = _read(place)
    if plain is None:
        return False
    if plain.get("kind") == "release":
        return True
    return _points_here(Place(target=Path(str(plain["release"]))), place)


def _points_here(release: Place, review: Place) -> bool:
    """Whether a release's journal is not settled and names this review place."""
    journal = read_journal(release)
    return journal is not None and journal.review == review


def _empty(place: Place) -> None:
    """Remove everything in staging but the lock, the journal first."""
    for name in sorted(os.listdir(place.staging), key=lambda name: name != place.journal.name):
        path = place.staging / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != place.lock:
            os.unlink(path)


def _clear(place: Place) -> None:
    """Remove the staging folder; a process that waits at our lock makes its own anew."""
    _empty(place)
    os.unlink(place.lock)
    with contextlib.suppress(OSError):
        os.rmdir(place.staging)


def busy(place: Place) -> Fault:
    """The fault of two commands at one folder."""
    return Fault(
        kind="busy",
        file=str(place.target),
        found="another command is writing this folder",
        mend="wait until it has ended, or name another folder",
    )


def _unmendable(place: Place, found: str) -> InputError:
    mend = f"look into {place.staging}, keep what is wanted from it, remove it, and publish again"
    return InputError([Fault(kind="staging", file=str(place.target), found=found, mend=mend)])
