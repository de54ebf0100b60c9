"""The private log of answered questions about batches: what bounds overlaps, and gives the same answer again.

One JSON file of mode 0600.  It holds of each answered question a keyed hash of the
question, keyed hashes of its people and the answer; never a reference, a true count or
who asked.  All requesters count as one, so there is one log.  A seal, a keyed hash
of the whole, tells a log that was damaged or changed.  The file is written whole
or not at all, and held by a lock from the reading to the telling.
"""

import base64
import binascii
import contextlib
import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from common.faults import Fault, InputError
from common.keys import key_id, sub_key
from releases.files.places import inode
from releases.files.wholefiles import Writing, write_whole

__all__ = ["Answered", "BatchLog", "held_log", "read_log", "write_log"]

FORMAT = "smallarea batch log 1"
PRIVATE = "Private: keyed hashes of people who were asked about. Keep it with the key, and away from everybody else."
HASH_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Answered:
    """One answered question: its keyed hash in hexadecimal, keyed hashes of its people, and the answer."""

    question: str
    people: frozenset[bytes]
    answer: int


@dataclass(frozen=True, kw_only=True)
class BatchLog:
    """All answered questions under one key and one min_count, in the order they were asked."""

    min_count: int
    answered: tuple[Answered, ...] = ()

    def find(self, question: str) -> Answered | None:
        """The question, if it was answered before."""
        return next((one for one in self.answered if one.question == question), None)

    def with_answer(self, one: Answered) -> "BatchLog":
        """The log with one more answered question."""
        return replace(self, answered=(*self.answered, one))


@contextlib.contextmanager
def held_log(path: Path) -> Iterator[None]:
    """Hold the log's lock, a file beside it that goes at the end; a dead process's lock is free.

    Raises
    ------
    InputError
        Another process holds it, or it cannot be made.
    """
    real = Path(os.path.realpath(path))
    lock = real.with_name(f".{real.name}.lock")
    try:
        handle = _take(lock)
    except OSError as error:
        found = f"its lock beside it cannot be made ({error.strerror})"
        raise _fault(path, found, "name a log in a folder of your own with --log") from None
    if handle is None:
        raise _fault(path, "is in use by another run", "ask again when that has ended")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock)
        os.close(handle)


def _take(lock: Path) -> int | None:
    """An open handle that holds the lock, or None where a living process has it."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        except OSError:
            os.close(handle)
            raise
        # The lock counts only while the path still names the file we locked: the one before may have removed it.
        if inode(lock) == os.fstat(handle).st_ino:
            return handle
        os.close(handle)


def read_log(path: Path, key: bytes, min_count: int | None) -> BatchLog:
    """The log, or an empty one where there is no file; call it while the log is held.

    Parameters
    ----------
    min_count : what was asked for; None takes the log's own, and 5 for a new log.

    Raises
    ------
    InputError
        The file is no such log, was changed or damaged, belongs to another key or keeps another min_count.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return BatchLog(min_count=5 if min_count is None else min_count)
    except OSError as error:
        raise _fault(path, f"cannot be read ({error.strerror})", "let this user read it") from None
    plain = _plain(content)
    if plain is None or plain.get("format") != FORMAT:
        raise _fault(path, "is no log of answered batches", "name the log, or a file that is not there yet")
    if plain.get("key_id") != key_id(key):
        mend = "give the key of the log: under another key it could not tell who was asked about before"
        raise _fault(path, "was written under another key", mend)
    if not hmac.compare_digest(str(plain.pop("seal", "")).encode(), _seal(plain, key).encode()):
        raise _fault(path, "was damaged or changed", "put the last whole copy back: without it overlaps cannot be told")
    log = _from_plain(plain)
    if min_count is not None and min_count != log.min_count:
        found = f"was begun with a min_count of {log.min_count}, not {min_count}"
        raise _fault(path, found, f"leave --min-count out, or give {log.min_count}", key="--min-count")
    return log


def write_log(path: Path, log: BatchLog, key: bytes) -> tuple[Path, ...]:
    """Write the log whole or not at all, mode 0600, synced; returns its path.

    Raises
    ------
    InputError
        It cannot be written.
    """
    plain = _to_plain(log, key)
    plain["seal"] = _seal(plain, key)
    content = json.dumps(plain, indent=1) + "\n"

    def write(target: Path) -> None:
        target.write_text(content, encoding="utf-8")

    return write_whole([Writing(target=Path(os.path.realpath(path)), write=write, private=True)])


def _plain(content: bytes) -> dict[str, Any] | None:
    try:
        plain = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return plain if isinstance(plain, dict) else None


def _seal(plain: dict[str, Any], key: bytes) -> str:
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hmac.new(sub_key(key, "batch log seal"), text.encode(), sha256).hexdigest()


def _to_plain(log: BatchLog, key: bytes) -> dict[str, Any]:
    answered = [
        {
            "question": one.question,
            "answer": one.answer,
            "people": base64.b64encode(b"".join(sorted(one.people))).decode("ascii"),
        }
        for one in log.answered
    ]
    return {
        "format": FORMAT,
        "private": PRIVATE,
        "key_id": key_id(key),
        "min_count": log.min_count,
        "answered": answered,
    }


def _from_plain(plain: dict[str, Any]) -> BatchLog:
    # The seal held: nobody without the key wrote this.
    return BatchLog(
        min_count=int(plain["min_count"]),
        answered=tuple(
            Answered(question=one["question"], answer=int(one["answer"]), people=_people(one["people"]))
            for one in plain["answered"]
        ),
    )


def _people(text: str) -> frozenset[bytes]:
    joined = binascii.a2b_base64(text)
    return frozenset(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES))


def _fault(path: Path, found: str, mend: str, *, key: str = "--log") -> InputError:
    return InputError([Fault(kind="log", file=str(path), key=key, found=found, mend=mend)])
