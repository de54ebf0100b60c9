"""The zip package around a workbook's worksheets: parts that have no place there, type, document properties, language."""

import zipfile
from pathlib import Path
from xml.etree import ElementTree

from releases.check.notes import Notes
from releases.check.sheets import Unreadable
from releases.check.xmlparts import CORRUPT, opened, part

__all__ = ["check_package"]

FOREIGN = {
    ".ods": ("Basic/", "Scripts/", "Pictures/", "Object"),
    ".xlsx": (
        *("customXml/", "xl/comments", "xl/drawings/", "xl/embeddings/", "xl/externalLinks/", "xl/macrosheets/"),
        *("xl/media/", "xl/threadedComments/", "xl/vbaProject"),
    ),
}
"""How names of parts start that hold macros, pictures, comments, other files or links to them."""


def check_package(path: Path, file: str, notes: Notes) -> None:
    """Check what lies beside the worksheets of an ODS or XLSX file.

    Raises
    ------
    Unreadable
        The file is no such archive, or a part is missing or cannot be read.
    """
    with opened(path) as archive:
        if any(name.startswith(FOREIGN[path.suffix]) for name in archive.namelist()):
            notes.wrong("workbook", file, "holds macros, pictures, comments or other objects")
        if path.suffix == ".ods":
            _check_ods(archive, file, notes)


def _check_ods(archive: zipfile.ZipFile, file: str, notes: Notes) -> None:
    """Type first and stored; title, author and language in the properties; no other language."""
    first = archive.infolist()[0]
    if first.filename != "mimetype" or first.compress_type != zipfile.ZIP_STORED:
        notes.wrong("workbook", file, "does not start with its type")
    elif _content(archive, "mimetype") != b"application/vnd.oasis.opendocument.spreadsheet":
        notes.wrong("workbook", file, "is of another type than a spreadsheet")
    told = {element.tag.rpartition("}")[2]: (element.text or "") for element in _parsed(archive, "meta.xml").iter()}
    for key in ("title", "creator", "subject"):
        if not told.get(key) and not (key == "creator" and told.get("initial-creator")):
            notes.wrong("workbook", file, f"the document properties give no {key}")
    if told.get("language") != "en-GB":
        notes.wrong("workbook", file, "the document properties do not give the language en-GB")
    languages = {_language(element) for element in _parsed(archive, "styles.xml").iter()} - {""}
    if "en-GB" not in languages or any(not language.startswith("en") for language in languages):
        notes.wrong("workbook", file, "the styles do not give the language en-GB")


def _language(element: ElementTree.Element) -> str:
    told = {key.rpartition("}")[2]: value for key, value in element.attrib.items() if "xsl-fo" in key}
    return f"{told['language']}-{told.get('country', '')}" if "language" in told else ""


def _parsed(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(_content(archive, name))
    except ElementTree.ParseError:
        raise Unreadable(f"has a part {name} that cannot be read") from None


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    with part(archive, name) as content:
        try:
            return content.read()
        except CORRUPT:
            raise Unreadable(f"has a part {name} that cannot be read") from None
