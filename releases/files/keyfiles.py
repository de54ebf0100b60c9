"""Where keys come from.  A key is named by its path, never shown."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from common.faults import Fault, InputError
from common.keys import MINIMUM_KEY_BYTES

__all__ = ["find_key", "read_key"]

KEY_BYTES = 48


def read_key(path: Path) -> bytes:
    """The key in a file: its bytes less one final newline, 32 at least.

    Raises
    ------
    InputError
        The file cannot be read or holds too little.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _fault(
            path, f"the key file cannot be read ({error.strerror})", "name a file that this user can read"
        ) from None
    key = content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\r\n") else content.removesuffix(b"\n")
    if len(key) < MINIMUM_KEY_BYTES:
        found = f"the key has {len(key)} bytes, {MINIMUM_KEY_BYTES} are the least"
        raise _fault(path, found, "make one with: head -c 48 /dev/urandom | base64 > FILE")
    return key


def find_key(given: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[bytes, Path]:
    """The key of a command that works on tables: the file given, else SMALLAREA_KEY_FILE, else this user's own.

    The user's own key is made once, with mode 0600, in the configuration folder.

    Raises
    ------
    InputError
        The key cannot be read, or could not be made.
    """
    if given is not None:
        return read_key(given), given
    if environment.get("SMALLAREA_KEY_FILE"):
        path = Path(environment["SMALLAREA_KEY_FILE"])
        return read_key(path), path
    folder = Path(environment.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "smallarea"
    path = folder / "key"
    if not os.path.exists(path):  # False too where this user may not look
        _make_key(folder, path)
    return read_key(path), path


def _make_key(folder: Path, path: Path) -> None:
    """Write a new key whole or not at all; a key that another process made meanwhile is kept."""
    fresh = folder / f".key-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_hex(KEY_BYTES).encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    except OSError as error:
        found = f"this user's own key cannot be made there ({error.strerror})"
        raise _fault(path, found, "give --key-file FILE or set SMALLAREA_KEY_FILE") from None


def _fault(path: Path, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="key", file=str(path), found=found, mend=mend)])
