"""What readers are told of a release, from its release file."""

import datetime as dt
from collections.abc import Mapping

from claimants.dictionary import read_dictionary, shipped_dictionary
from claimants.dimensions import SENSITIVE, Dimension, dimension
from geography.areas import Areas
from releases.publish.privacynotice import fields_read, privacy_notice, read_notice_words
from releases.publish.spec import FINEST_AREA, METHOD_LEAKS, Release, TableSpec
from releases.software import software_name
from reports.model import Contact, ReleaseFacts, ReportTable
from reports.privacynotice import PrivacyNotice
from sdc.tables import SafeTable

__all__ = ["release_facts", "report_table"]

NOT_STATED = (
    "Not stated: nothing is recorded, or what is recorded may not be used for this table, such as for want of consent. "
    "Everybody is in the totals."
)


def release_facts(release: Release, areas: Areas, previous: str) -> ReleaseFacts:
    """The facts that every page and workbook repeats."""
    about = release.release
    return ReleaseFacts(
        id=release.id,
        title=about.title,
        summary=about.summary,
        producer=about.producer,
        series=release.series.id,
        reference_date=about.reference_date,
        extract_date=about.extract_date,
        publication=about.publication,
        next_publication=about.next_publication,
        status=about.status,
        label=about.label,
        population=" and ".join(release.populations),
        licence=about.licence,
        source=about.source,
        contacts=tuple(
            Contact(role=one.role, name=one.name, email=one.email, telephone=one.telephone) for one in release.contact
        ),
        previous=previous,
        level_names={level.name: (level.singular, level.plural) for level in release.geography.level},
        area_names=dict(zip(areas.levels, areas.names, strict=True)),
        statements=tuple(_exception_sentences(release)),
        software=software_name(),
        attributions=tuple(dict.fromkeys(boundary.attribution for boundary in release.geography.boundary)),
        notice=_notice(release),
    )


def _notice(release: Release) -> PrivacyNotice:
    """The privacy notice: standing words, with the fields that the tables of this release are counted from."""
    own = release.claims.dictionary
    tables = [
        [dimension(name, table.bands.get(name, "standard"), table.purpose) for name in table.by]
        for table in release.table
    ]
    return privacy_notice(
        read_notice_words(),
        shipped_dictionary() if own is None else read_dictionary(own),
        fields_read(tables, postcodes=release.geography.postcodes is not None),
    )


def report_table(
    spec: TableSpec,
    safe: SafeTable,
    dimensions: Mapping[str, Dimension],
    unit: str,
    since: dt.date | None = None,
) -> ReportTable:
    """One safe table with its words; `since` is the day that a flow is counted from."""
    return ReportTable(
        id=spec.id,
        title=spec.title,
        safe=safe,
        dimension_names={name: dimension.title for name, dimension in dimensions.items()},
        labels={name: dict(dimension.labels) for name, dimension in dimensions.items()},
        unit=unit,
        notes=(*spec.notes, *([NOT_STATED] if set(spec.by) & set(SENSITIVE) else [])),
        measure=spec.measure,
        since=since,
    )


def _exception_sentences(release: Release) -> list[str]:
    """What is printed on every table where the promise is less than full, or areas are smaller than they should be."""
    titles = {table.id: table.title for table in release.table}
    told = {
        METHOD_LEAKS: "This release does not keep the full promise of its disclosure control: some small counts can be "
        "narrowed from the figures shown.",
        FINEST_AREA: "{tables}: shown for smaller areas than figures of this kind are by rule.",
    }
    return [
        f"{told[one.rule].format(tables=', '.join(titles[id_] for id_ in one.table))} "
        f"Allowed until {one.expires.day} {one.expires:%B %Y} by {one.owner}."
        for one in release.exception
    ]
