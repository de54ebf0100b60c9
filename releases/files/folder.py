"""How a release folder appears whole or not at all, together with its review folder.

Everything is made in staging folders beside the two targets (mode 0700), then
sealed (modes set, every file and folder synced), then exchanged.  What a kill
at any step leaves is mended by the next command: see `releases.files.journal`.
"""

import contextlib
import errno
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.faults import Fault, Faults, InputError
from releases.files.journal import Journal, held, mend, mend_all, settle, withdraw, write_journal
from releases.files.places import STAGING_SUFFIX, Place, put

__all__ = ["RELEASE_FORMAT", "STEPS", "Staging", "mend", "mend_all", "staged"]

RELEASE_FORMAT = "smallarea release 1"

STEPS = (
    "locked",
    "staged",
    "written",
    "work removed",
    "sealed",
    "release set aside",
    "release exchanged",
    "review set aside",
    "review exchanged",
    "settled",
)
"""The named steps at which `staged` calls `at`, in order; "set aside" only where a file system cannot exchange."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Where to write: `release` becomes the public folder, `review` the reviewers'; `work` is for spilled files."""

    release: Path
    review: Path | None
    work: Path


@contextlib.contextmanager
def staged(
    out: Path,
    review: Path | None = None,
    *,
    outside: Sequence[Path] = (),
    at: Callable[[str], None] = lambda step: None,
) -> Iterator[Staging]:
    """Staging folders that take the place of `out` and `review` when the block ends well.

    Parameters
    ----------
    out, review : the public folder and the reviewers' folder; each may exist,
        if it holds a release (a review pack) or nothing.
    outside : paths that may not lie inside either folder, such as the key file
        and the inputs, since the folder before goes when the new one stands.
    at : told the name of each step of `STEPS` as it is reached.

    Whatever is raised inside the block, nothing of `out` and `review` changes
    and nothing is left behind.

    Raises
    ------
    InputError
        The folders cannot be used (all reasons at once), another process is at
        work on them, or the disk is full.
    """
    release = Place(target=Path(os.path.abspath(out)))
    pack = None if review is None else Place(target=Path(os.path.abspath(review)))
    places = [place for place in (release, pack) if place is not None]
    _refuse_paths(places, outside)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_plain_reasons([place.target for place in places]))
        for place in places:
            stack.enter_context(_parents(place.target))
        for place in places:
            stack.enter_context(_held(place))
        at("locked")
        _refuse_contents(release, pack)
        journal = _start(release, pack)
        try:
            at("staged")
            yield Staging(release=release.fresh, review=None if pack is None else pack.fresh, work=release.work)
            at("written")
            _finish(journal, at)
        except BaseException:
            withdraw(journal)
            raise


@contextlib.contextmanager
def _held(place: Place) -> Iterator[None]:
    """`held`, but a staging folder that cannot be removed after the exchange is told in the log, not as a failure."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(held(place))
        yield
        try:
            stack.close()
        except OSError:
            _log.warning("%s could not be removed; the next command will", place.staging)


def _start(release: Place, pack: Place | None) -> Journal:
    """Make the staging folders and write the journal."""
    release.work.mkdir(mode=0o700)
    for place in (release, pack):
        if place is not None:
            place.fresh.mkdir(mode=0o700)
    journal = Journal(
        release=release,
        release_inode=release.fresh.stat().st_ino,
        review=pack,
        review_inode=0 if pack is None else pack.fresh.stat().st_ino,
    )
    try:
        write_journal(journal)
    except BaseException:
        settle(journal)
        raise
    return journal


def _finish(journal: Journal, at: Callable[[str], None]) -> None:
    """Seal the new folders and put them in place, the release first: its exchange is what decides."""
    shutil.rmtree(journal.release.work)
    at("work removed")
    _seal(journal.release.fresh, folder_mode=0o755, file_mode=0o644)
    if journal.review is not None:
        _seal(journal.review.fresh, folder_mode=0o700, file_mode=0o600)
    at("sealed")
    for (place, _), name in zip(journal.places, ("release", "review"), strict=False):
        put(place, aside=lambda name=name: at(f"{name} set aside"))  # type: ignore[misc]
        at(f"{name} exchanged")
    settle(journal)
    at("settled")


def _seal(folder: Path, *, folder_mode: int, file_mode: int) -> None:
    """Set modes and sync every file and folder, from the leaves up.

    Raises
    ------
    ValueError
        Something is neither a file nor a folder: a release holds no links.
    """
    for root, folders, files in os.walk(folder, topdown=False, onerror=_raise):
        for name in files + folders:
            mode = os.lstat(os.path.join(root, name)).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise ValueError(f"{name} in a staging folder is neither a file nor a folder")
        for name in files:
            _set_and_sync(os.path.join(root, name), file_mode)
        _set_and_sync(root, folder_mode)


def _raise(error: OSError) -> None:
    raise error


def _set_and_sync(path: str, mode: int) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


# --- What is refused ----------------------------------------------------------------------------


def _refuse_paths(places: Sequence[Place], outside: Sequence[Path]) -> None:
    faults = Faults()
    real = [Path(os.path.realpath(place.target)) for place in places]
    if not places[0].target.name:
        faults.add("folder", "the root of a file system cannot be a release folder", "name a folder", file="--out")
    if len(real) == 2 and (real[0].is_relative_to(real[1]) or real[1].is_relative_to(real[0])):
        faults.add(
            "folder",
            "the release folder and the review folder lie one inside the other",
            "give --review-dir a folder of its own outside the release folder",
            file=str(places[0].target),
        )
    for path in outside:
        for place, folder in zip(places, real, strict=True):
            if Path(os.path.realpath(path)).is_relative_to(folder):
                faults.add(
                    "folder",
                    f"lies inside {place.target}, which is to be replaced",
                    "move it elsewhere, or name another folder",
                    file=str(path),
                )
    faults.raise_if_any()


def _refuse_contents(release: Place, pack: Place | None) -> None:
    faults = Faults()
    if not _may_replace(release.target, _is_release):
        faults.add(
            "folder",
            "holds something else than a release",
            "name a new or empty folder, or one that holds a release",
            file=str(release.target),
        )
    if pack is not None and not _may_replace(pack.target, _is_review):
        faults.add(
            "folder",
            "holds something else than a review pack",
            "give --review-dir a new or empty folder, or one that holds a review pack",
            file=str(pack.target),
        )
    faults.raise_if_any()


def _may_replace(folder: Path, ours: Callable[[Path], bool]) -> bool:
    if not os.path.lexists(folder):
        return True
    if folder.is_symlink() or not folder.is_dir():
        return False
    return not any(folder.iterdir()) or ours(folder)


def _is_release(folder: Path) -> bool:
    return str(_mark(folder / "manifest.json").get("format", "")).startswith("smallarea release ")


def _is_review(folder: Path) -> bool:
    return {"release", "manifest_sha256"} <= _mark(folder / "summary.json").keys()


def _mark(path: Path) -> dict[str, object]:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


# --- Parents, and reasons in plain words --------------------------------------------------------


@contextlib.contextmanager
def _parents(target: Path) -> Iterator[None]:
    """Make missing folders above the target; those made are removed again if the block fails."""
    missing = []
    for folder in target.parents:
        if folder.exists():
            break
        missing.append(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def _plain_reasons(targets: Sequence[Path]) -> Iterator[None]:
    """Turn what an operating system says of folders and disks into faults that a person can mend."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        fault = _fault_of(error, targets)
        if fault is None:
            raise
        raise InputError([fault]) from error


_REASONS = {
    errno.EACCES: ("cannot be written: no right to write there", "ask for the right, or name a folder elsewhere"),
    errno.EPERM: ("cannot be written: no right to write there", "ask for the right, or name a folder elsewhere"),
    errno.EROFS: ("cannot be written: the file system is read-only", "name a folder elsewhere"),
    errno.EBUSY: ("cannot be replaced: a file system is mounted at it", "name a folder inside it"),
    errno.EXDEV: ("cannot be replaced: a file system is mounted at it", "name a folder inside it"),
    errno.ENOTDIR: ("a file stands where a folder is needed", "move the file, or name another folder"),
    errno.EEXIST: ("a file stands where a folder is needed", "move the file, or name another folder"),
    errno.ENAMETOOLONG: ("the name is too long", "name a shorter folder"),
}


def _fault_of(error: Exception, targets: Sequence[Path]) -> Fault | None:
    """The fault behind an error of the operating system at one of the targets; None where it is anything else."""
    if _is_full(error):
        found = "the disk is full; nothing was written and the folder is as it was"
        return Fault(kind="full disk", file=str(targets[0]), found=found, mend="make room there or name another folder")
    if not isinstance(error, OSError) or error.errno not in _REASONS:
        return None
    at = os.fsdecode(error.filename) if error.filename else ""
    for target in targets:
        hidden = f".{target.name}{STAGING_SUFFIX}"
        if at and (target.is_relative_to(at) or Path(at).is_relative_to(target.parent / hidden)):
            found, mend_it = _REASONS[error.errno]
            return Fault(kind="folder", file=str(target), found=found, mend=mend_it)
    return None


def _is_full(error: BaseException | None) -> bool:
    """Whether an error or what caused it is a full disk; libraries that wrap the number leave its words."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        if "No space left on device" in str(error) or "Disk quota exceeded" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
