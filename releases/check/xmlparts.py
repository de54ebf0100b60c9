"""The XML in a zip archive, streamed: what ODS and XLSX files are made of."""

import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO
from xml.parsers import expat

from releases.check.plainrows import BLOCK, PlainRows
from releases.check.sheets import Unreadable

__all__ = ["CORRUPT", "Start", "opened", "part", "read_xml"]

Start = Callable[[str, Mapping[str, str]], None]

CORRUPT = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What `zipfile` raises where the bytes of a part are not what they must be, or are packed in a way it does not know."""


def opened(path: Path) -> zipfile.ZipFile:
    """The zip archive at a path."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        raise Unreadable("is missing or no zip archive") from None
    if len(set(archive.namelist())) != len(archive.namelist()):
        archive.close()
        raise Unreadable("holds two parts of one name")
    return archive


def part(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """One part of an archive, to be read as a stream."""
    try:
        return archive.open(name)
    except KeyError:
        raise Unreadable(f"has no part {name}") from None
    except CORRUPT:
        raise Unreadable(f"has a part {name} that cannot be read") from None


def read_xml(
    content: IO[bytes],
    build: Callable[[expat.XMLParserType], tuple[Start, Callable[[str], None]]],
    plain: PlainRows | None = None,
) -> None:
    """Stream XML: `build` is given the parser and gives what to call at each start and end tag.

    Names are ``address name``, the address of the namespace first, for
    elements and for attributes that have one.  With `plain`, the handlers meet
    marks in the place of plain rows.

    Raises
    ------
    Unreadable
        The XML is not well formed, or holds text that is neither element nor
        attribute nor content: no workbook needs comments, instructions and the
        like, and they can hide what nobody checks.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = build(parser)
    parser.XmlDeclHandler = _look_at_encoding
    parser.CommentHandler = parser.ProcessingInstructionHandler = _refuse
    parser.StartDoctypeDeclHandler = parser.StartCdataSectionHandler = _refuse
    try:
        for piece in plain.marked(content) if plain else iter(lambda: content.read(BLOCK), b""):
            parser.Parse(piece)
        parser.Parse(b"", True)
    except (expat.ExpatError, *CORRUPT):
        raise Unreadable("holds XML that cannot be read") from None
    if plain and plain.waiting:
        raise Unreadable("holds cells that are not of its kind of workbook")


def _refuse(*_: object) -> None:
    raise Unreadable("holds XML with comments, instructions or the like")


def _look_at_encoding(version: str, encoding: str | None, standalone: int) -> None:
    if (encoding or "UTF-8").upper() not in ("UTF-8", "UTF-16"):
        raise Unreadable("holds XML in another encoding than UTF-8 or UTF-16")
