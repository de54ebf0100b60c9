"""Zip archives whose bytes depend on nothing but what is in them: no clock, no user."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

__all__ = ["Archive", "archive"]

# Rows of XML repeat so much that a harder search gains little and costs much.
LEVEL = 3


class Archive:
    """A zip file being written, entry by entry.

    Entries bear the first moment that a zip file can tell of, 1 January 1980:
    that is what `zipfile.ZipInfo` gives an entry that is made from its name.
    """

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file

    def add(self, name: str, content: bytes | str, *, stored: bool = False) -> None:
        """One entry, compressed unless `stored`."""
        info = zipfile.ZipInfo(name)
        self._file.writestr(info, content, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, LEVEL)

    def stream(self, name: str, pieces: Iterable[bytes | pa.Buffer], *, large: bool) -> None:
        """One entry from pieces that need not fit into memory together; `large` where it may pass 2 GiB.

        Smaller entries do without ZIP64, which some spreadsheet programs offer to repair.
        """
        with self._file.open(name, "w", force_zip64=large) as entry:
            for piece in pieces:
                entry.write(memoryview(piece))


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """An archive at `path`, whole when the block ends."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:
        yield Archive(file)
