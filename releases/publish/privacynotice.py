"""The privacy notice of a release: standing words, filled with what the release file has read from the records."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field as Key

from claimants.dictionary import Dictionary, Field
from claimants.dimensions import Dimension
from claimants.erasure import erasure_needs, weak_erasure_needs
from claimants.records import record_needs
from common.faults import Fault, InputError
from common.resources import data_path
from releases.files.tomlfile import Part, read_model
from reports.privacynotice import Basis, Change, NoticeField, PrivacyNotice, Section

__all__ = ["NoticeWords", "fields_read", "privacy_notice", "read_notice_words"]

Words = Annotated[str, Key(min_length=1)]
ALL = "all"


class _ChangePart(Part):
    version: Words
    date: dt.date
    note: Words


class _BasisPart(Part):
    fields: Words
    article: Words
    words: Words


class _SectionPart(Part):
    intro: Words
    lines: Annotated[tuple[Words, ...], Key(min_length=1)]


class _RightsPart(_SectionPart):
    complaint: Words


class NoticeWords(Part):
    """The whole of a file of standing words, such as ``data/notice.toml``."""

    version: Words
    date: dt.date
    example: bool = False
    title: Words
    summary: Words
    change: Annotated[tuple[_ChangePart, ...], Key(min_length=1)]
    basis: Annotated[tuple[_BasisPart, ...], Key(min_length=1)]
    sharing: _SectionPart
    retention: _SectionPart
    rights: _RightsPart


def read_notice_words(path: Path | None = None) -> NoticeWords:
    """The standing words, by default the example that ships (raises InputError with every fault)."""
    return read_model(path or data_path("notice.toml"), NoticeWords, "the words of a privacy notice")


def fields_read(dimensions: Iterable[Sequence[Dimension]], *, postcodes: bool) -> dict[str, tuple[str, ...]]:
    """Field → purposes it is read for, by any of the tables (each given by its dimensions), in order of first use.

    Fields whose signs of erasure are looked at only where an extract has no others are among them.
    """
    found: dict[str, dict[str, None]] = {}
    for table in dimensions:
        for need in record_needs(table, postcodes=postcodes, protection=False):
            found.setdefault(need.field, {})[need.purpose] = None
    for need in (*erasure_needs(), *weak_erasure_needs()):
        found.setdefault(need.field, {})[need.purpose] = None
    return {name: tuple(purposes) for name, purposes in found.items()}


def privacy_notice(words: NoticeWords, dictionary: Dictionary, read: dict[str, tuple[str, ...]]) -> PrivacyNotice:
    """The notice; `read` is what `fields_read` gives.

    Raises
    ------
    InputError
        The versions of the words do not agree.
    """
    fields = [dictionary.fields[name] for name in read]
    classes = {one.kind for one in fields}
    used = {purpose for purposes in read.values() for purpose in purposes}
    try:
        return PrivacyNotice(
            title=words.title,
            summary=words.summary,
            version=words.version,
            date=words.date,
            example=words.example,
            changes=tuple(Change(version=one.version, date=one.date, note=one.note) for one in words.change),
            purposes=tuple((name, meaning) for name, meaning in dictionary.purposes.items() if name in used),
            fields=tuple(_notice_field(one, read[one.name], dictionary) for one in fields),
            unread=_unread(dictionary, read),
            basis=tuple(
                Basis(article=one.article, words=one.words)
                for one in words.basis
                if one.fields == ALL or one.fields in classes
            ),
            sharing=Section(intro=words.sharing.intro, lines=words.sharing.lines),
            retention=Section(intro=words.retention.intro, lines=words.retention.lines),
            rights=Section(intro=words.rights.intro, lines=words.rights.lines),
            complaint=words.rights.complaint,
        )
    except ValueError as error:
        fault = Fault(kind="notice", found=str(error), mend="correct the words of the privacy notice", key="version")
        raise InputError([fault]) from None


def _notice_field(one: Field, purposes: Sequence[str], dictionary: Dictionary) -> NoticeField:
    return NoticeField(
        label=one.label,
        kind=one.kind,
        uses=tuple((purpose, one.purposes[purpose]) for purpose in purposes),
        kept=dictionary.retention.get(one.retention, ""),
    )


def _unread(dictionary: Dictionary, read: dict[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Fields of extracts of claims that are not read, by class."""
    found: dict[str, list[str]] = {}
    for one in dictionary.fields.values():
        if one.name not in read and ("claims" in one.sources or "system" in one.sources):
            found.setdefault(one.kind, []).append(one.label)
    return tuple((kind, tuple(labels)) for kind, labels in found.items())
