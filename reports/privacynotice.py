"""The privacy notice of a release: what is read, for what, on what basis, for how long, and whom to ask."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from reports.statements import long_date, words
from reports.tablepages import DataTable, Row

__all__ = ["Basis", "Change", "NoticeField", "PrivacyNotice", "Section", "notice_values"]


@dataclass(frozen=True, kw_only=True)
class NoticeField:
    """A field that is read: `uses` is (purpose, form) for each purpose; `kept` says how long, in words."""

    label: str
    kind: str
    uses: tuple[tuple[str, str], ...]
    kept: str


@dataclass(frozen=True, kw_only=True)
class Basis:
    """A lawful basis: the article and what it is relied on for."""

    article: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A sentence and the lines under it."""

    intro: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What changed with a version."""

    version: str
    date: dt.date
    note: str


@dataclass(frozen=True, kw_only=True)
class PrivacyNotice:
    """Everything the page says; who publishes and whom to ask comes from the release's facts.

    `purposes` is (purpose, what it means) for those that any field is read for; `unread`
    is (class, labels) of the fields that the source may have and that are never read.
    """

    title: str
    summary: str
    version: str
    date: dt.date
    example: bool
    changes: tuple[Change, ...]
    purposes: tuple[tuple[str, str], ...]
    fields: tuple[NoticeField, ...]
    unread: tuple[tuple[str, tuple[str, ...]], ...]
    basis: tuple[Basis, ...]
    sharing: Section
    retention: Section
    rights: Section
    complaint: str

    def __post_init__(self) -> None:
        if not self.changes or self.changes[0].version != self.version or self.changes[0].date != self.date:
            raise ValueError(f"version ({self.version}) must be that of the first change, with its date")
        days = [change.date for change in self.changes]
        if days != sorted(days, reverse=True) or len({change.version for change in self.changes}) < len(days):
            raise ValueError("changes must stand with the latest first, each with a version of its own")


def notice_values(notice: PrivacyNotice) -> dict[str, Any]:
    """What the template ``privacy.html`` is filled with, beside what every page has."""
    told = words("privacy")
    uses = [
        Row(
            head=field.label,
            about=(
                field.kind[:1].upper() + field.kind[1:],
                "; ".join(f"{purpose} ({form})" for purpose, form in field.uses),
                field.kept[:1].upper() + field.kept[1:],
            ),
            cells=(),
        )
        for field in notice.fields
    ]
    heads = told["fields"]
    return {
        "notice": notice,
        "words": told,
        "fields": DataTable(
            id="fields-table",
            caption=heads["caption"],
            row_heads=(heads["field"], heads["kind"], heads["uses"], heads["kept"]),
            columns=(),
            rows=tuple(uses),
        ),
        "changes": DataTable(
            id="changes-table",
            caption=told["changes"]["caption"],
            row_heads=(told["changes"]["version"], told["changes"]["date"], told["changes"]["note"]),
            columns=(),
            rows=tuple(
                Row(head=one.version, about=(long_date(one.date), one.note), cells=()) for one in notice.changes
            ),
        ),
    }
