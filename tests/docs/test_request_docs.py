"""The reference pages of requests and retention name what the code has, and nothing else."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from releases.requests.requestfile import AreasPart, DatesPart, FieldPart, RequestPart
from releases.retention.holdings import HeldFile, Holdings, PolicyFile, RemovalRequest

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize(
    ("page", "heading", "model"),
    [
        ("request-file", "## `[request]`", RequestPart),
        ("request-file", "## `[areas]`", AreasPart),
        ("request-file", "## `[dates]`", DatesPart),
        ("request-file", "## `[[field]]`", FieldPart),
        ("retention", "## `holdings.toml`", Holdings),
        ("retention", "## `[[file]]`", HeldFile),
        ("retention", "## The policy", PolicyFile),
        ("retention", "## Requests to remove records", RemovalRequest),
    ],
)
def test_every_key_is_documented_and_no_other(page: str, heading: str, model: type[BaseModel]) -> None:
    text = (REFERENCE / f"{page}.md").read_text(encoding="utf-8")
    section = text.split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"]
    assert [row[0].strip("`") for row in rows] == list(model.model_fields)
    for name, _, default, _ in rows:
        field = model.model_fields[name.strip("`")]
        assert (default == "required") == field.is_required(), name
        if isinstance(field.default, str) and field.default:
            assert default.strip("`") == field.default, name


def test_every_policy_that_ships_is_named() -> None:
    from common.resources import data_path

    text = (REFERENCE / "retention.md").read_text(encoding="utf-8")
    for path in data_path("retention").glob("*.toml"):
        assert re.search(rf"`{path.stem}`", text)
