"""CSV on the Web metadata for a release's tables: ``<id>.csv-metadata.json``.

The file says what each column holds, its type, its key and its empty cells,
who published the table and under which licence, and what the markers mean.
Its first note holds the block that `reports.metadata` describes, so that an
attack on the file of a release folder needs nothing else.

Source: W3C Recommendations "Metadata Vocabulary for Tabular Data" and "Model
for Tabular Data and Metadata on the Web", 17 December 2015.
"""

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reports.derived import DERIVED_MARKERS, DerivedTable
from reports.derivedwords import derived_marker_meaning
from reports.longform import long_columns
from reports.metadata import BLOCK, DERIVED, json_text, metadata_block
from reports.model import ReleaseFacts, ReportTable
from reports.statements import (
    counted_statement,
    counted_words,
    licence_words,
    long_date,
    marker_meaning,
    markers_in_use,
    measure_words,
    period_words,
    protection_statement,
    rounding_statement,
    words,
    zero_meaning,
)
from sdc.tables import MARKERS, SHOWN, TOTAL

__all__ = ["csvw_document", "write_csvw"]

# The code list of markers in the United Kingdom's draft guidance on CSVW.
MARKER_ADDRESS = "http://data.gov.uk/codelist/statistical-markers/code/[{marker}]"


def write_csvw(table: ReportTable | DerivedTable, facts: ReleaseFacts, path: Path) -> None:
    """Write the CSVW metadata of ``<id>.csv`` to `path`, which lies beside it."""
    path.write_text(json_text(csvw_document(table, facts)), encoding="utf-8")


def csvw_document(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> dict[str, Any]:
    """The CSVW table description as plain data, keys in a fixed order."""
    file = f"{table.id}.csv"
    if isinstance(table, DerivedTable):
        columns, numbers = _derived_columns(table), len(table.columns)
        notes = [
            {DERIVED: {"form": 1, "software": facts.software, "file": file, "kind": table.kind, **table.facts}},
            {"markers": _marker_list(table.markers_in_use)},
            *({"text": text} for text in (*table.made, table.protection, *facts.statements)),
        ]
    else:
        columns, numbers = [_column(table, name) for name in long_columns(table.safe)], 1
        notes = [
            {BLOCK: _block(table, facts, file)},
            {"markers": _marker_list(markers_in_use(table.safe))},
            *({"text": text} for text in _sentences(table, facts)),
        ]
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en-GB"}],
        "url": file,
        **_terms(table, facts),
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True, "lineTerminators": ["\n"]},
        "tableSchema": {"columns": columns, "primaryKey": [column["name"] for column in columns[: -1 - numbers]]},
        "notes": notes,
    }


def _block(table: ReportTable, facts: ReleaseFacts, file: str) -> dict[str, Any]:
    """What an attack needs, with what the table counts where others of the release count something else."""
    block = metadata_block(table.safe, file=file, software=facts.software, measure=measure_words(table))
    return block if facts.population == table.unit else {**block, "population": table.unit}


def _terms(table: ReportTable | DerivedTable, facts: ReleaseFacts) -> dict[str, Any]:
    """Dublin Core terms of the table, and whom to ask."""
    derived = table if isinstance(table, DerivedTable) else None
    period = derived.period if derived else ""
    days: Any = {"@value": facts.reference_date.isoformat(), "@type": "xsd:date"}
    if isinstance(table, ReportTable) and table.since is not None:
        period = period_words(facts, table)
        days = f"{(table.since + dt.timedelta(days=1)).isoformat()}/{facts.reference_date.isoformat()}"
    name, address = licence_words(facts.licence)
    told = words("csvw")["terms"]
    contacts = [
        told["contact"].format(role=contact.role, name=contact.name, email=contact.email) for contact in facts.contacts
    ]
    return {
        "dc:identifier": f"{facts.id}/{table.id}",
        "dc:title": told["title"].format(title=table.title, period=period or long_date(facts.reference_date)),
        "dc:description": " ".join([facts.summary, *table.notes]).strip(),
        "dc:publisher": facts.producer,
        "dc:isPartOf": facts.series,
        "dc:issued": {"@value": facts.publication.isoformat(), "@type": "xsd:dateTime"},
        "dc:temporal": derived.period if derived and derived.period else days,
        "dc:license": {"@id": address} if address else name,
        "dc:source": derived.source if derived else facts.source,
        **({"schema:creativeWorkStatus": derived.status} if derived and derived.status else {}),
        "dc:language": "en-GB",
        "dcat:contactPoint": contacts,
    }


def _sentences(table: ReportTable, facts: ReleaseFacts) -> list[str]:
    """What a reader must be told of the whole table."""
    method = table.safe.method
    told = words("csvw")["notes"]
    return [
        counted_statement(facts, table),
        rounding_statement(method),
        told["zero"].format(zero=zero_meaning(method)),
        protection_statement(method),
        told["status"].format(status=words("metadata")["status"][facts.status]),
        told["next"].format(next_publication=long_date(facts.next_publication)),
        *facts.statements,
    ]


def _marker_list(markers: Sequence[str]) -> list[dict[str, str]]:
    """The code list of the markers in use."""
    return [
        {"code": marker, "meaning": derived_marker_meaning(marker), "address": MARKER_ADDRESS.format(marker=marker)}
        for marker in markers
    ]


def _derived_columns(table: DerivedTable) -> list[dict[str, Any]]:
    """The columns of the long form of a derived table: areas, categories, numbers, marker."""
    columns = [_key_column(table, name) for name in long_columns(table)[: -1 - len(table.columns)]]
    told = words("csvw")
    for column in table.columns:
        datatype = {"base": "decimal"} if column.decimals else {"base": "integer"}
        columns.append(
            {
                "name": column.name,
                "titles": [column.name],
                "dc:title": column.heading,
                "dc:description": told["derived"][column.name],
                "datatype": datatype,
                "null": [""],
            }
        )
    possible = [text for text in DERIVED_MARKERS.values() if text]
    meanings = "; ".join(f"{marker} = {derived_marker_meaning(marker)}" for marker in possible)
    marker = _marker_column()
    marker |= {"dc:description": f"{told['derived']['marker']}{meanings}", "datatype": _one_of(possible)}
    return [*columns, marker]


def _column(table: ReportTable, name: str) -> dict[str, Any]:
    """The description of one column of the long form."""
    if name == "value":
        return _value_column(table)
    if name == "marker":
        return _marker_column()
    return _key_column(table, name)


def _key_column(table: ReportTable | DerivedTable, name: str) -> dict[str, Any]:
    """The description of a column that says which area and category a row is of."""
    safe = table if isinstance(table, DerivedTable) else table.safe
    titles = words("csvw")["titles"]
    descriptions = words("csvw")["descriptions"]
    column: dict[str, Any] = {"name": _name(name), "titles": [name], "required": True}
    if name == "area_level":
        column |= {"dc:title": titles[name], "dc:description": descriptions[name]}
        column["datatype"] = _one_of(safe.hierarchy.levels)
    elif name == "area":
        column |= {"dc:title": titles[name], "dc:description": descriptions[name], "datatype": "string"}
    else:
        place = safe.classification.dimensions.index(name)
        codes = sorted({category[place] for category in safe.classification.categories})
        column["dc:title"] = table.dimension_names.get(name, name)
        column["dc:description"] = _code_list(codes, table.labels.get(name, {}))
        column["datatype"] = _one_of((*codes, TOTAL))
    return column


def _value_column(table: ReportTable) -> dict[str, Any]:
    told = words("csvw")
    return {
        "name": "value",
        "titles": ["value"],
        "dc:title": told["titles"]["value"],
        "dc:description": told["descriptions"]["value"].format(unit=counted_words(table)),
        "datatype": {"base": "integer", "minimum": 0},
        "null": [""],
    }


def _marker_column() -> dict[str, Any]:
    told = words("csvw")
    possible = [text for marker, text in MARKERS.items() if marker != SHOWN]
    return {
        "name": "marker",
        "titles": ["marker"],
        "dc:title": told["titles"]["marker"],
        "dc:description": "; ".join(f"{marker} = {marker_meaning(marker)}" for marker in possible),
        "datatype": _one_of(possible),
        "null": [""],
    }


def _code_list(codes: list[str], labels: dict[str, str]) -> str:
    return "; ".join(f"{code} = {labels[code]}" if code in labels else code for code in codes)


def _one_of(texts: tuple[str, ...] | list[str]) -> dict[str, str]:
    """A datatype that takes these texts alone; as a pattern, for that is what CSVW knows."""
    return {"base": "string", "format": "|".join(re.sub(r"([^\w\s])", r"\\\1", text) for text in texts)}


def _name(column: str) -> str:
    """A column name as CSVW allows it: letters, digits and underscores, not starting with an underscore."""
    return re.sub(r"\W", "_", column).lstrip("_") or "dimension"
