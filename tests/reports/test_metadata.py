"""``FILE-metadata.json`` and CSVW: what a program needs, where it says it is, and nothing more."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from csvw import CSVW
from tablesamples import facts, report_table, safe_table

from reports.csvw import csvw_document, write_csvw
from reports.longform import write_long
from reports.metadata import find_block, json_text, metadata_block, metadata_path, write_metadata
from sdc.tables import Classification, Hierarchy, Method, SafeTable


def rebuilt(block: dict[str, Any]) -> tuple[Hierarchy, Classification, Method]:
    """What a reader makes of a block by the docstring of reports.metadata alone."""
    tree = block["nests"][0]["tree"]
    hierarchy = Hierarchy(
        levels=tuple(level["level"] for level in tree),
        codes=tuple(np.array(level["codes"]) for level in tree),
        parents=tuple(np.array(level["parents"], np.int32) for level in tree[:-1]),
    )
    categories = tuple(tuple(category) for category in block["categories"])
    return (
        hierarchy,
        Classification(dimensions=tuple(block["dimensions"]), categories=categories),
        Method(**block["method"]),
    )


def same_tree(one: Hierarchy, other: Hierarchy) -> bool:
    arrays = zip((*one.codes, *one.parents), (*other.codes, *other.parents), strict=True)
    return one.levels == other.levels and all(np.array_equal(a, b) for a, b in arrays)


def test_metadata_alone_gives_tree_categories_and_method(tmp_path: Path) -> None:
    safe = safe_table(marked=True)
    path = write_metadata(safe, tmp_path / "out.csv", software="smallarea 0.1.0")
    assert path == tmp_path / "out.csv-metadata.json" == metadata_path(tmp_path / "out.csv")
    block = find_block(json.loads(path.read_text(encoding="utf-8")))
    assert block is not None
    hierarchy, classification, method = rebuilt(block)
    assert same_tree(hierarchy, safe.hierarchy) and classification == safe.classification and method == safe.method
    assert block["software"] == "smallarea 0.1.0" and block["file"] == "out.csv"


def test_the_block_has_the_listed_keys_alone() -> None:
    block = metadata_block(safe_table(), file="t.csv", software="s")
    assert set(block) == {
        "form",
        "software",
        "file",
        "columns",
        "method",
        "nests",
        "dimensions",
        "categories",
        "total",
        "markers",
        "zero",
    }
    assert set(block["method"]) == {"name", "base", "min_count"}
    assert [set(level) for level in block["nests"][0]["tree"]] == [
        {"level", "codes", "parents"},
        {"level", "codes", "parents"},
        {"level", "codes"},
    ]


def test_the_block_does_not_depend_on_the_figures() -> None:
    """Nothing of it may be measured: other values and markers, same metadata."""
    safe = safe_table()
    other = SafeTable(
        hierarchy=safe.hierarchy,
        classification=safe.classification,
        values=tuple(values * 3 for values in safe.values),
        markers=safe_table(marked=True).markers,
        method=safe.method,
    )
    assert metadata_block(safe, file="t.csv", software="s") == metadata_block(other, file="t.csv", software="s")


@pytest.mark.parametrize("document", [None, [], {}, {"notes": 1}, {"notes": ["text", {}]}, {"smallarea": "text"}])
def test_a_document_without_a_block_has_none(document: object) -> None:
    assert find_block(document) is None


def test_json_keeps_everything_and_long_lists_on_one_line() -> None:
    document = {"codes": ["a", "é"], "inner": {"parents": [0, 1], "list": [{"columns": [{"a": 1}]}, []]}, "none": {}}
    text = json_text(document)
    assert json.loads(text) == document
    assert '"codes": ["a", "é"],' in text and '"parents": [0, 1],' in text


def written(folder: Path, *, marked: bool = True) -> tuple[Path, Path]:
    table = report_table(safe_table(marked=marked))
    write_long(table.safe, folder / "benefit.csv")
    write_csvw(table, facts(), folder / "benefit.csv-metadata.json")
    return folder / "benefit.csv", folder / "benefit.csv-metadata.json"


def check(metadata: Path) -> None:
    """Raise where the document, a key or a cell is not valid; the reader warns of the document alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = CSVW(str(metadata), validate=True)
        if not document.is_valid:
            raise ValueError("not valid")
        list(document.t)


def test_csvw_is_valid_without_a_warning(tmp_path: Path) -> None:
    _, metadata = written(tmp_path)
    check(metadata)


@pytest.mark.parametrize(
    ("found", "written_instead"),
    [
        ("oa,E00000001,esa,5,", "oa,E00000001,esa,-5,"),
        ("oa,E00000001,esa,5,", "oa,E00000001,esa,5.5,"),
        ("oa,E00000001,esa,5,", "oa,E00000001,esa,,q"),
        ("oa,E00000001,esa,5,", "oa,E00000001,dla,5,"),
        ("oa,E00000001,esa,5,", "ward,E00000001,esa,5,"),
        ("oa,E00000002,esa,", "oa,E00000001,esa,"),
        ("oa,E00000001,esa,5,", "oa,,esa,5,"),
    ],
)
def test_csvw_refuses_a_table_that_breaks_its_schema(tmp_path: Path, found: str, written_instead: str) -> None:
    table, metadata = written(tmp_path)
    text = table.read_text()
    assert found in text
    table.write_text(text.replace(found, written_instead, 1))
    with pytest.raises((ValueError, UserWarning)):
        check(metadata)


def test_csvw_reads_empty_values_as_null_and_figures_as_numbers(tmp_path: Path) -> None:
    _, metadata = written(tmp_path)
    rows = list(CSVW(str(metadata)).t)
    assert rows[0] == {"area_level": "oa", "area": "E00000001", "benefit": "esa", "value": 5, "marker": None}
    suppressed = [row for row in rows if row["marker"] == "c"]
    assert len(suppressed) == 2 and all(row["value"] is None for row in suppressed)


def test_csvw_carries_the_same_block_as_the_metadata_of_protect(tmp_path: Path) -> None:
    table, metadata = written(tmp_path)
    document = json.loads(metadata.read_text(encoding="utf-8"))
    safe = safe_table(marked=True)
    assert find_block(document) == metadata_block(safe, file=table.name, software="smallarea 0.1.0")
    assert document["notes"][0]["smallarea"]["file"] == document["url"] == "benefit.csv"


def test_csvw_tells_key_terms_and_notes() -> None:
    document = csvw_document(report_table(safe_table(marked=True)), facts(statements=("An exception holds.",)))
    assert document["tableSchema"]["primaryKey"] == ["area_level", "area", "benefit"]
    assert document["dc:title"] == "Claims by benefit, 31 May 2026"
    assert document["dc:issued"] == {"@value": "2026-11-17T09:30:00", "@type": "xsd:dateTime"}
    assert document["dc:license"]["@id"].startswith("https://www.nationalarchives.gov.uk/")
    assert [marker["code"] for marker in document["notes"][1]["markers"]] == ["c", "z", "x", "low"]
    texts = [note["text"] for note in document["notes"][2:]]
    assert "A figure of 0 means nil, or rounded to nil." in texts and "An exception holds." in texts
    assert [column["titles"] for column in document["tableSchema"]["columns"]] == [
        ["area_level"],
        ["area"],
        ["benefit"],
        ["value"],
        ["marker"],
    ]


def test_an_unknown_licence_keeps_its_own_name() -> None:
    assert csvw_document(report_table(), facts(licence="Council licence 2"))["dc:license"] == "Council licence 2"


def test_odd_names_and_codes_are_still_valid(tmp_path: Path) -> None:
    safe = safe_table()
    odd = SafeTable(
        hierarchy=safe.hierarchy,
        classification=Classification(dimensions=("age band",), categories=(("16-24",), ("65+",), ('a,"b" (c)',))),
        values=safe.values,
        method=safe.method,
    )
    table = report_table(odd, id="age", labels={}, dimension_names={})
    write_long(odd, tmp_path / "age.csv")
    write_csvw(table, facts(), tmp_path / "age.csv-metadata.json")
    check(tmp_path / "age.csv-metadata.json")
