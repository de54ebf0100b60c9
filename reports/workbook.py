"""The workbook of one table: cover, contents, notes, then a worksheet per area level.

All words lie in ``reports/templates/workbook.toml``.  What the cover tells
follows the Government Analysis Function's "Releasing statistics in
spreadsheets" (2021): title, summary, release, source, dates of this and the
next publication, status, disclosure control, contacts.
"""

from reports.model import ReleaseFacts, ReportTable
from reports.sheets import HEADING, SHEET_ROWS, TITLE, Line, Sheet, Workbook, text_column, text_grid
from reports.statements import (
    clock_time,
    licence_words,
    long_date,
    population_statement,
    protection_statement,
    rounding_statement,
    words,
    zero_meaning,
)
from reports.wide import wide_sheets

__all__ = ["build_workbook"]


def build_workbook(table: ReportTable, facts: ReleaseFacts, *, rows_per_sheet: int = SHEET_ROWS) -> Workbook:
    """The workbook of one table, largest areas first.

    A level that needs more rows than `rows_per_sheet`, lines above the table
    included, is split by local authority (`reports.wide`) and says so.

    Raises
    ------
    ValueError
        The table has more categories than a worksheet has columns.
    """
    notes = _note_texts(table, facts)
    sheets = wide_sheets(table, facts, notes=len(notes), rows_per_sheet=rows_per_sheet)
    keywords = (
        facts.series,
        table.title,
        *(facts.level_names.get(level, (level,))[0] for level in table.safe.hierarchy.levels),
    )
    cover, notes_sheet = _cover(table, facts), _notes(notes)
    return Workbook(
        title=f"{table.title}, {long_date(facts.reference_date)}",
        subject=facts.title,
        author=facts.producer,
        created=facts.publication,
        software=facts.software,
        keywords=keywords,
        sheets=(cover, _contents((cover, notes_sheet, *sheets)), notes_sheet, *sheets),
    )


def _note_texts(table: ReportTable, facts: ReleaseFacts) -> tuple[str, ...]:
    """Note 1 what is counted, note 2 zeros, note 3 rounding, then the table's own notes."""
    zero = words("workbook")["notes"]["zero"].format(zero=zero_meaning(table.safe.method))
    counted = population_statement(facts.population, table.unit)
    return (counted, zero, rounding_statement(table.safe.method), *table.notes)


def _cover(table: ReportTable, facts: ReleaseFacts) -> Sheet:
    told = words("workbook")["cover"]
    lines = [
        Line(text=f"{table.title}, {long_date(facts.reference_date)}", style=TITLE),
        Line(text=facts.title),
        *_texts(facts.summary, told["table"].format(table=table.title)),
        Line(text=told["release"], style=HEADING),
        *_texts(*_release_lines(facts)),
        Line(text=told["counted"], style=HEADING),
        *_texts(population_statement(facts.population, table.unit)),
        Line(text=told["protection"], style=HEADING),
        *_texts(rounding_statement(table.safe.method), protection_statement(table.safe.method), *facts.statements),
        Line(text=told["source"], style=HEADING),
        *_source_lines(facts),
        Line(text=told["contacts"], style=HEADING),
        *_contact_lines(facts),
    ]
    return Sheet(name=told["sheet"], description=told["description"], lines=tuple(lines))


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


def _source_lines(facts: ReleaseFacts) -> list[Line]:
    told = words("workbook")["cover"]
    name, address = licence_words(facts.licence)
    return [
        Line(text=told["source_line"].format(source=facts.source)),
        Line(text=told["licence"].format(licence=name), link=address),
        *_texts(*facts.attributions),
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
