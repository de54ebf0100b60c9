"""The workbook of one table: cover, contents, notes, then a worksheet per area level.

All words lie in ``reports/templates/workbook.toml``.  What the cover tells
follows the Government Analysis Function's "Releasing statistics in
spreadsheets" (2021): title, summary, release, source, dates of this and the
next publication, status, disclosure control, contacts.
"""

from reports.derived import DerivedTable
from reports.derivedsheets import derived_sheets
from reports.model import ReleaseFacts, ReportTable
from reports.sheets import HEADING, SHEET_ROWS, TITLE, Line, Sheet, Workbook, text_column, text_grid
from reports.statements import (
    clock_time,
    counted_statement,
    licence_words,
    long_date,
    period_words,
    protection_statement,
    rounding_statement,
    words,
    zero_meaning,
)
from reports.wide import wide_sheets

__all__ = ["build_workbook"]


def build_workbook(
    table: ReportTable | DerivedTable, facts: ReleaseFacts, *, rows_per_sheet: int = SHEET_ROWS
) -> Workbook:
    """The workbook of one table, largest areas first.

    A level that needs more rows than `rows_per_sheet`, lines above the table
    included, is split by local authority (`reports.wide`) and says so.

    Raises
    ------
    ValueError
        The table has more categories than a worksheet has columns.
    """
    notes = _note_texts(table, facts)
    if isinstance(table, DerivedTable):
        sheets = derived_sheets(table, facts, notes=len(notes), rows_per_sheet=rows_per_sheet)
        hierarchy = table.hierarchy
    else:
        sheets = wide_sheets(table, facts, notes=len(notes), rows_per_sheet=rows_per_sheet)
        hierarchy = table.safe.hierarchy
    keywords = (
        facts.series,
        table.title,
        *(facts.level_names.get(level, (level,))[0] for level in hierarchy.levels),
    )
    cover, notes_sheet = _cover(table, facts), _notes(notes)
    return Workbook(
        title=f"{table.title}, {_period(table, facts)}",
        subject=facts.title,
        author=facts.producer,
        created=facts.publication,
        software=facts.software,
        keywords=keywords,
        sheets=(cover, _contents((cover, notes_sheet, *sheets)), notes_sheet, *sheets),
    )


def _note_texts(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> tuple[str, ...]:
    """Note 1 what is counted, note 2 zeros, note 3 rounding, then the table's own notes.

    Of a derived table: its status, how it was made, then its own notes.
    """
    if isinstance(table, DerivedTable):
        return (*_status_texts(table), *table.made, *table.notes)
    zero = words("workbook")["notes"]["zero"].format(zero=zero_meaning(table.safe.method))
    counted = counted_statement(facts, table)
    return (counted, zero, rounding_statement(table.safe.method), *table.notes)


def _status_texts(table: DerivedTable) -> tuple[str, ...]:
    return (words("derived")["status"]["note"].format(status=table.status),) if table.status else ()


def _cover(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> Sheet:
    told = words("workbook")["cover"]
    lines = [
        Line(text=f"{table.title}, {_period(table, facts)}", style=TITLE),
        Line(text=facts.title),
        *_texts(facts.summary, told["table"].format(table=table.title)),
        Line(text=told["release"], style=HEADING),
        *_texts(*_release_lines(facts)),
        Line(text=told["counted"], style=HEADING),
        *_texts(*_counted_texts(table, facts)),
        Line(text=told["protection"], style=HEADING),
        *_texts(*_protection_texts(table), *facts.statements),
        Line(text=told["source"], style=HEADING),
        *_source_lines(table, facts),
        Line(text=told["contacts"], style=HEADING),
        *_contact_lines(facts),
    ]
    return Sheet(name=told["sheet"], description=told["description"], lines=tuple(lines))


def _period(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> str:
    if isinstance(table, DerivedTable):
        return table.period or long_date(facts.reference_date)
    return period_words(facts, table)


def _counted_texts(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> tuple[str, ...]:
    if isinstance(table, DerivedTable):
        return (*_status_texts(table), *table.made)
    return (counted_statement(facts, table),)


def _protection_texts(table: ReportTable | DerivedTable) -> tuple[str, ...]:
    if isinstance(table, DerivedTable):
        return (table.protection,)
    return (rounding_statement(table.safe.method), protection_statement(table.safe.method))


def _texts(*texts: str) -> list[Line]:
    return [Line(text=text) for text in texts if text]


def _release_lines(facts: ReleaseFacts) -> list[str]:
    """Facts of the release, each with its own name; what is not told of the release has no line."""
    told = words("workbook")["cover"]
    label = "" if facts.label in ("", "none") else told["label"].format(label=facts.label)
    return [
        told["reference_date"].format(reference_date=long_date(facts.reference_date)),
        told["status"].format(status=words("metadata")["status"][facts.status]),
        label,
        told["publication"].format(time=clock_time(facts.publication), publication=long_date(facts.publication)),
        told["next_publication"].format(next_publication=long_date(facts.next_publication)),
        told["extract_date"].format(extract_date=long_date(facts.extract_date)),
        told["producer"].format(producer=facts.producer),
        told["series"].format(series=facts.series),
        told["release_id"].format(id=facts.id),
        told["previous"].format(previous=facts.previous) if facts.previous else "",
        told["software"].format(software=facts.software) if facts.software else "",
    ]


def _source_lines(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> list[Line]:
    told = words("workbook")["cover"]
    name, address = licence_words(facts.licence)
    source, lines = facts.source, facts.attributions
    if isinstance(table, DerivedTable):
        source, lines = table.source, (*facts.attributions, *table.attributions)
    return [
        Line(text=told["source_line"].format(source=source)),
        Line(text=told["licence"].format(licence=name), link=address),
        *_texts(*dict.fromkeys(lines)),
    ]


def _contact_lines(facts: ReleaseFacts) -> list[Line]:
    told = words("workbook")["cover"]
    lines = []
    for contact in facts.contacts:
        lines.append(Line(text=told["contact"].format(role=contact.role, name=contact.name)))
        lines.append(Line(text=told["email"].format(email=contact.email), link=f"mailto:{contact.email}"))
        if contact.telephone:
            lines.append(Line(text=told["telephone"].format(telephone=contact.telephone)))
    return lines


def _contents(sheets: tuple[Sheet, ...]) -> Sheet:
    """The table of contents of the other worksheets, each one's name a link to it."""
    told = words("workbook")["contents"]
    names = tuple(sheet.name for sheet in sheets)
    columns = (
        text_column(told["worksheet"], names, links=names),
        text_column(told["about"], [sheet.description for sheet in sheets], most=90),
    )
    lines = (Line(text=told["title"], style=TITLE), Line(text=words("workbook")["sheet"]["one_table"]))
    return Sheet(name=told["sheet"], description=told["title"], lines=lines, grid=text_grid(told["table"], columns))


def _notes(notes: tuple[str, ...]) -> Sheet:
    told = words("workbook")["notes"]
    reference = words("workbook")["sheet"]["reference"]
    columns = (
        text_column(told["number"], [reference.format(number=place) for place in range(1, len(notes) + 1)]),
        text_column(told["text"], notes, most=90),
    )
    lines = (Line(text=told["title"], style=TITLE), Line(text=words("workbook")["sheet"]["one_table"]))
    return Sheet(name=told["sheet"], description=told["title"], lines=lines, grid=text_grid(told["table"], columns))
