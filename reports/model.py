"""What the pages, workbooks and maps are told: facts of a release, and its safe tables with their words."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sdc.tables import SafeTable

if TYPE_CHECKING:
    from reports.privacynotice import PrivacyNotice

__all__ = ["Boundary", "Contact", "ReleaseFacts", "ReportTable"]


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Whom a reader may ask: `role` such as ``Statistician`` or ``Press``."""

    role: str
    name: str
    email: str
    telephone: str = ""


@dataclass(frozen=True, kw_only=True)
class ReleaseFacts:
    """The facts of a release that every page and workbook repeats.

    `population` is ``claims``, ``people``, or ``claims and people`` where some
    tables count each (`ReportTable.unit`); `status` is ``provisional``,
    ``revised`` or ``final``; `label` is the official statistics label, if any;
    `previous` is the id of the release before in the series, if any.
    `level_names` gives each area level its words (singular, plural), such as
    ``{"oa": ("output area", "output areas")}``.  `notice` is the privacy notice,
    which has a page of its own.
    """

    id: str
    title: str
    summary: str
    producer: str
    series: str
    reference_date: dt.date
    extract_date: dt.date
    publication: dt.datetime
    next_publication: dt.date
    status: str
    label: str
    population: str
    licence: str
    source: str
    contacts: tuple[Contact, ...]
    previous: str
    level_names: dict[str, tuple[str, str]]
    area_names: dict[str, np.ndarray]
    statements: tuple[str, ...] = ()
    software: str = ""
    attributions: tuple[str, ...] = ()
    notice: "PrivacyNotice | None" = None


@dataclass(frozen=True, kw_only=True)
class ReportTable:
    """One safe table with its words.

    `labels` gives, per dimension, the label of each code; `dimension_names`
    the heading of each dimension.  `notes` are sentences shown with the table.
    `unit` is ``claims`` or ``people``; `measure` is ``caseload``, ``on-flow`` or ``off-flow``,
    flows of the days after `since` up to the reference date.

    Raises
    ------
    ValueError
        A caseload has the start of a window, or a flow has none.
    """

    id: str
    title: str
    safe: SafeTable
    dimension_names: dict[str, str]
    labels: dict[str, dict[str, str]]
    unit: str = "claims"
    notes: tuple[str, ...] = field(default=())
    measure: str = "caseload"
    since: dt.date | None = None

    def __post_init__(self) -> None:
        if (self.measure == "caseload") != (self.since is None):
            raise ValueError(f"since ({self.since}) must be given for flows alone, and measure is {self.measure}")

    @property
    def counts(self) -> str:
        """The name of what the table counts, by which its words are found: tables of one name share figures."""
        return self.unit if self.since is None else f"{self.unit} {self.measure}"


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """Boundaries of one level: a GeoDataFrame with the column `code`, in the hierarchy's order, in EPSG:27700."""

    level: str
    frame: object
    attribution: str
