"""The section of an attack on many tables: what is the same of several is said once."""

from reports.attackreportsection import attack_section
from sdc.findings import Audit


def test_figures_alike_are_one_row() -> None:
    months = [f"month {number}" for number in range(1, 13)]
    figures: dict[str, object] = {}
    for number, name in enumerate(months):
        figures[f"{name}: path"] = "max flow"
        figures[f"{name}: cells asked"] = 7
        figures[f"{name}: the theorem does not hold"] = [f"{name}: its method is another"]
        figures[f"{name}: small cells judged"] = 3 if number < 2 else number
    section = attack_section(Audit(figures=figures))
    assert section.paths is not None and section.figures is not None
    assert [(row.head, row.cells) for row in section.paths.rows] == [("month 1 … month 12 (12)", ("7",))]
    rows = {row.head: row.about for row in section.figures.rows}
    assert rows["month 1 … month 12 (12): the theorem does not hold"] == ("its method is another",)
    assert rows["month 3: small cells judged"] == ("2",)
    assert "month 1 … month 4 (3): small cells judged" in rows and len(rows) == 1 + 1 + 9
