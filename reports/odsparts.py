"""The fixed parts of an OpenDocument spreadsheet: styles, settings, document properties, ranges.

Nothing here grows with the number of rows.
"""

from collections.abc import Collection

from reports.sheets import HEADING, TITLE, Sheet, Workbook
from reports.textrows import column_letters, escape_text

__all__ = [
    "LAST_LINE",
    "MANIFEST",
    "MIMETYPE",
    "content_end",
    "content_start",
    "meta",
    "row_style",
    "settings",
    "styles",
]

MIMETYPE = "application/vnd.oasis.opendocument.spreadsheet"
PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
        "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
        "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
        "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
        "fo": "urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0",
        "number": "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0",
        "meta": "urn:oasis:names:tc:opendocument:xmlns:meta:1.0",
        "config": "urn:oasis:names:tc:opendocument:xmlns:config:1.0",
        "xlink": "http://www.w3.org/1999/xlink",
        "dc": "http://purl.org/dc/elements/1.1/",
        "ooo": "http://openoffice.org/2004/office",
    }.items()
)
VERSION = 'office:version="1.3"'

MANIFEST = (
    PROLOGUE
    + '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="{MIMETYPE}"/>'
    + "".join(
        f'<manifest:file-entry manifest:full-path="{name}.xml" manifest:media-type="text/xml"/>'
        for name in ("content", "styles", "meta", "settings")
    )
    + "</manifest:manifest>"
)

# Millimetres for one character of the 12 point body text, and for the margins of a cell.
CHARACTER, MARGIN = 2.45, 3.0
ROW_HEIGHT = "5.6mm"


def row_style(line: str) -> str:
    """Name of the row style for a line of one style; lines of text grow with it."""
    return {TITLE: "ro_title", HEADING: "ro_heading"}.get(line, "ro_wrapped")


# The last line above a table has room below it, in place of an empty row.
LAST_LINE = "ro_last"


def content_start(workbook: Workbook) -> str:
    """The document up to its first worksheet: column widths and row heights."""
    return (
        f"{PROLOGUE}<office:document-content {NAMESPACES} {VERSION}><office:automatic-styles>"
        + "".join(_column_styles(number, sheet) for number, sheet in enumerate(workbook.sheets))
        + _row_style("ro_title", "9mm", measured=False)
        + _row_style("ro_heading", "11mm", measured=False)
        + _row_style(LAST_LINE, "9mm", measured=False)
        + _row_style("ro_wrapped", ROW_HEIGHT)
        + _row_style("ro_header", "12mm")
        # Rows of figures have one line: programs need not measure a country's rows to draw the first.
        + _row_style("ro_row", ROW_HEIGHT, measured=False)
        + '<style:style style:name="ta" style:family="table" style:master-page-name="Default">'
        '<style:table-properties table:display="true" style:writing-mode="lr-tb"/></style:style>'
        "</office:automatic-styles><office:body><office:spreadsheet>"
    )


def _column_styles(number: int, sheet: Sheet) -> str:
    return "".join(
        f'<style:style style:name="co{number}_{place}" style:family="table-column"><style:table-column-properties '
        f'style:column-width="{width * CHARACTER + MARGIN:.1f}mm" style:use-optimal-column-width="false"/>'
        "</style:style>"
        for place, width in enumerate(sheet.widths)
    )


def _row_style(name: str, height: str, *, measured: bool = True) -> str:
    return (
        f'<style:style style:name="{name}" style:family="table-row"><style:table-row-properties '
        f'style:row-height="{height}" style:use-optimal-row-height="{str(measured).lower()}"/></style:style>'
    )


def content_end(workbook: Workbook) -> str:
    """What follows the last worksheet: which cells are tables, and that they have a header row."""
    ranges = []
    for sheet in workbook.sheets:
        if sheet.grid:
            corner = f"{column_letters(len(sheet.grid.columns))}{sheet.rows}"
            ranges.append(
                f'<table:database-range table:name="{sheet.grid.name}" table:contains-header="true" '
                'table:display-filter-buttons="false" table:target-range-address="'
                f"'{sheet.name}'.A{len(sheet.lines) + 1}:'{sheet.name}'.{corner}\"/>"
            )
    return (
        f"<table:database-ranges>{''.join(ranges)}</table:database-ranges>"
        "</office:spreadsheet></office:body></office:document-content>"
    )


def meta(workbook: Workbook) -> str:
    """Document properties: title, language, organisation as author, keywords; dates of publication."""
    created = workbook.created.isoformat(timespec="seconds")
    keywords = "".join(f"<meta:keyword>{escape_text(word)}</meta:keyword>" for word in workbook.keywords)
    return (
        f"{PROLOGUE}<office:document-meta {NAMESPACES} {VERSION}><office:meta>"
        f"<meta:generator>{escape_text(workbook.software)}</meta:generator>"
        f"<dc:title>{escape_text(workbook.title)}</dc:title><dc:subject>{escape_text(workbook.subject)}</dc:subject>"
        f"<meta:initial-creator>{escape_text(workbook.author)}</meta:initial-creator>"
        f"<dc:creator>{escape_text(workbook.author)}</dc:creator>{keywords}"
        f"<meta:creation-date>{created}</meta:creation-date><dc:date>{created}</dc:date>"
        f"<dc:language>{workbook.language}</dc:language></office:meta></office:document-meta>"
    )


def settings(workbook: Workbook) -> str:
    """Where the workbook opens: first worksheet, cursor in A1 of each, full size, nothing frozen."""
    tables = "".join(
        f'<config:config-item-map-entry config:name="{sheet.name}">{_whole_numbers(_SHEET_VIEW)}'
        "</config:config-item-map-entry>"
        for sheet in workbook.sheets
    )
    return (
        f"{PROLOGUE}<office:document-settings {NAMESPACES} {VERSION}><office:settings>"
        '<config:config-item-set config:name="ooo:view-settings"><config:config-item-map-indexed config:name="Views">'
        '<config:config-item-map-entry><config:config-item config:name="ViewId" config:type="string">view1'
        f'</config:config-item><config:config-item-map-named config:name="Tables">{tables}'
        "</config:config-item-map-named>"
        '<config:config-item config:name="ActiveTable" config:type="string">'
        f"{workbook.sheets[0].name}</config:config-item>{_whole_numbers({'ZoomType': 0, 'ZoomValue': 100})}"
        "</config:config-item-map-entry></config:config-item-map-indexed></config:config-item-set>"
        "</office:settings></office:document-settings>"
    )


_SHEET_VIEW = {
    "CursorPositionX": 0,
    "CursorPositionY": 0,
    "HorizontalSplitMode": 0,
    "VerticalSplitMode": 0,
    "PositionLeft": 0,
    "PositionRight": 0,
    "PositionTop": 0,
    "PositionBottom": 0,
    "ZoomType": 0,
    "ZoomValue": 100,
}


def _whole_numbers(items: dict[str, int]) -> str:
    return "".join(
        f'<config:config-item config:name="{name}" config:type="int">{value}</config:config-item>'
        for name, value in items.items()
    )


def styles(decimals: Collection[int] = ()) -> str:
    """Named cell styles and the page: landscape, as wide as the table, without header or footer.

    `decimals` are the numbers of decimals, from 1, that figures are shown with.
    """
    places = sorted(decimals)
    return (
        f"{PROLOGUE}<office:document-styles {NAMESPACES} {VERSION}><office:styles>"
        '<number:number-style style:name="Thousands"><number:number number:decimal-places="0" '
        'number:min-integer-digits="1" number:grouping="true"/></number:number-style>'
        + "".join(map(_decimal_style, places))
        + '<style:default-style style:family="table-cell"><style:text-properties fo:font-family="Arial" '
        'style:font-family-generic="swiss" fo:font-size="12pt" fo:language="en" fo:country="GB"/></style:default-style>'
        '<style:style style:name="Default" style:family="table-cell"/>'
        + _cell_style("Heading 1", size=16, bold=True)
        + _cell_style("Heading 2", size=14, bold=True, vertical="bottom")
        + _cell_style("Text")
        + _cell_style("Wrapped text", wrap=True)
        + _cell_style("Link", wrap=True, link=True)
        + _cell_style("Text heading", bold=True, wrap=True, ruled=True, vertical="bottom")
        + _cell_style("Figure heading", bold=True, wrap=True, ruled=True, align="end", vertical="bottom")
        + _cell_style("Figures", align="end", number="Thousands")
        + "".join(_cell_style(f"Figures {one}", align="end", number=f"Thousands{one}") for one in places)
        + '</office:styles><office:automatic-styles><style:page-layout style:name="page">'
        '<style:page-layout-properties fo:page-width="297mm" fo:page-height="210mm" '
        'style:print-orientation="landscape" '
        'fo:margin="15mm" style:scale-to-X="1" style:scale-to-Y="0" style:print="objects charts drawings zero-values"/>'
        "</style:page-layout></office:automatic-styles><office:master-styles>"
        '<style:master-page style:name="Default" style:page-layout-name="page"/>'
        "</office:master-styles></office:document-styles>"
    )


def _decimal_style(decimals: int) -> str:
    return (
        f'<number:number-style style:name="Thousands{decimals}"><number:number number:decimal-places="{decimals}" '
        f'number:min-decimal-places="{decimals}" number:min-integer-digits="1" number:grouping="true"/>'
        "</number:number-style>"
    )


def _cell_style(
    name: str,
    *,
    size: int = 12,
    bold: bool = False,
    wrap: bool = False,
    ruled: bool = False,
    link: bool = False,
    align: str = "start",
    vertical: str = "top",
    number: str = "",
) -> str:
    data = f' style:data-style-name="{number}"' if number else ""
    cell = ' fo:wrap-option="wrap"' if wrap else ""
    cell += ' fo:border-bottom="0.75pt solid #000000"' if ruled else ""
    text = ' fo:font-weight="bold"' if bold else ""
    text += ' fo:color="#1d70b8" style:text-underline-style="solid"' if link else ""
    return (
        f'<style:style style:name="{name.replace(" ", "_20_")}" style:display-name="{name}" style:family="table-cell" '
        f'style:parent-style-name="Default"{data}><style:table-cell-properties style:vertical-align="{vertical}" '
        f'style:text-align-source="fix"{cell}/><style:paragraph-properties fo:text-align="{align}"/>'
        f'<style:text-properties fo:font-size="{size}pt"{text}/></style:style>'
    )
