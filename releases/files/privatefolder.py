"""A folder of private files for one person: mode 0700, refused where it holds anything else, filled whole or not at all."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from common.faults import Fault, Faults, InputError
from releases.files.folder import RELEASE_FORMAT
from releases.files.wholefiles import Writing, write_whole

__all__ = ["check_private_folder", "write_private_folder"]

FOLDER_MODE = 0o700


def check_private_folder(
    folder: Path, names: Sequence[str], *, mark: tuple[str, str], inputs: Sequence[Path], faults: Faults
) -> None:
    """Note a fault for each reason why private files of these names may not be written into `folder`.

    It may be missing, empty, or hold files of these names and nothing else,
    among them the file `mark` names, a JSON object whose ``format`` is what `mark` says.  It
    may not lie in a release folder, which is public, nor hold a file that is read.
    """
    told = _Told(folder, faults)
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
        told("a file or a link stands where a folder is needed", "name another folder")
        return
    public = next((above for above in (folder, *_real(folder).parents) if _is_release(above)), None)
    if public is not None:
        told(f"{public} is a release folder, which is public", "name a folder outside it")
        return
    if not folder.exists():
        _check_parent(folder, told)
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        told("cannot be written: no right to write there", "ask for the right, or name a folder elsewhere")
        return
    if any(_real(path).parent == _real(folder) for path in inputs):
        told("holds a file that is read by this command", "name a folder of its own")
    elif not _may_fill(folder, names, mark):
        told(
            f"holds something else than {', '.join(names)}", "name a new or empty folder, or the one of an earlier run"
        )


def write_private_folder(folder: Path, writings: Sequence[Writing]) -> tuple[Path, ...]:
    """Fill a folder that `check_private_folder` found fit, all files or none; a folder made for it goes again on failure.

    Raises
    ------
    InputError
        The folder or a file cannot be written.
    """
    fresh = not folder.exists()
    try:
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        folder.chmod(FOLDER_MODE)
        for left in _leftovers(folder, [writing.target.name for writing in writings]):
            left.unlink()
    except OSError as error:
        found = f"cannot be written ({error.strerror or 'unknown reason'})"
        fault = Fault(kind="cannot write", file=str(folder), found=found, mend="name a folder elsewhere")
        raise InputError([fault]) from error
    try:
        return write_whole(writings)
    except BaseException:
        if fresh:
            folder.rmdir()
        raise


class _Told:
    """Notes faults of one folder."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self._folder, self._faults = folder, faults

    def __call__(self, found: str, mend: str) -> None:
        self._faults.add("folder", found, mend, file=str(self._folder), key="--out")


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _check_parent(folder: Path, told: _Told) -> None:
    parent = _real(folder).parent
    if not parent.is_dir():
        told("the folder it is to lie in is not there", "make the folder, or name another")
    elif not os.access(parent, os.W_OK | os.X_OK):
        told("cannot be made: no right to write there", "ask for the right, or name a folder elsewhere")


def _may_fill(folder: Path, names: Sequence[str], mark: tuple[str, str]) -> bool:
    found = {path.name for path in folder.iterdir()} - {path.name for path in _leftovers(folder, names)}
    if not found:
        return True
    file, form = mark
    return found <= set(names) and _format(folder / file) == form


def _leftovers(folder: Path, names: Sequence[str]) -> list[Path]:
    """Files that a killed run left under hidden names, see `releases.files.wholefiles`."""
    stems = {f".{Path(name).stem}." for name in names}
    hidden = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    return sorted(
        path
        for path in hidden
        if any(path.name.startswith(stem) for stem in stems) and path.stem.rpartition(".")[2] in ("new", "old")
    )


def _is_release(folder: Path) -> bool:
    return _format(folder / "manifest.json").startswith(RELEASE_FORMAT.rpartition(" ")[0])


def _format(path: Path) -> str:
    try:
        plain = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return ""
    return str(plain.get("format", "")) if isinstance(plain, dict) else ""
