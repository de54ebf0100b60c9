"""Which further cells to hide so that an attack finds nothing more: what findings name, then what their witnesses name."""

from collections.abc import Collection, Iterator

import numpy as np

from sdc.findings import Audit, Finding
from sdc.mends.editing import taken_out
from sdc.mends.sheet import Cell, Sheets, shown_cells

__all__ = ["Hiding", "is_unlisted", "named_cells", "unsafe", "unsafe_number"]

# What the number of findings that are not listed is told by (`sdc.attack.listing`).
NOT_LISTED = ", not listed"


def unsafe(audit: Audit) -> list[Finding]:
    """The findings that make a release unsafe."""
    return [finding for finding in audit.findings if finding.severity in ("disclosure", "contradiction")]


def is_unlisted(audit: Audit) -> bool:
    """Whether there are more findings of some kind than are listed."""
    return any(name.endswith(NOT_LISTED) for name in audit.figures)


def unsafe_number(audit: Audit) -> int:
    """How many findings make a release unsafe, those that are counted and not listed among them."""
    unlisted = [number for name, number in audit.figures.items() if name.endswith(NOT_LISTED)]
    return len(unsafe(audit)) + sum(number for number in unlisted if isinstance(number, int))


def named_cells(audit: Audit, sheets: Sheets) -> list[Cell]:
    """The cells that unsafe findings are of, each once; findings of no published cell are left out."""
    found = (_cell_of(finding, sheets) for finding in unsafe(audit))
    return list(dict.fromkeys(cell for cell in found if cell is not None))


class Hiding:
    """Cells that are hidden beside those that already are, whichever tables show them.

    A figure is hidden in every table that tells it and may be changed.
    """

    def __init__(self, sheets: Sheets, fixed: Collection[str] = (), *, min_count: int) -> None:
        self._sheets, self._fixed, self._min_count = sheets, frozenset(fixed), min_count
        self._exposed: dict[Cell, None] = {}
        self._partners: dict[Cell, None] = {}
        self._shown = [shown_cells(sheet).copy() for sheet in sheets]

    def add(self, audit: Audit) -> bool:
        """Hide a cell more for each finding; whether there was any to hide."""
        before = len(self._exposed) + len(self._partners)
        for finding in unsafe(audit):
            own = _cell_of(finding, self._sheets)
            exposed = [] if own is None else self._alike(own)
            if exposed:
                self._hide(exposed, self._exposed)
        if len(self._exposed) + len(self._partners) == before:
            for finding in unsafe(audit):
                partner = self._partner(finding)
                if partner is not None:
                    self._hide(self._alike(partner), self._partners)
        return len(self._exposed) + len(self._partners) > before

    def partners(self) -> list[Cell]:
        """Cells hidden for the sake of others, the last first."""
        return list(self._partners)[::-1]

    def without(self, partner: Cell) -> "Hiding":
        """The same, one cell shown again."""
        fewer = Hiding(self._sheets, self._fixed, min_count=self._min_count)
        fewer._exposed = dict(self._exposed)
        fewer._partners = {cell: None for cell in self._partners if cell != partner}
        fewer._shown = [shown.copy() for shown in self._shown]
        fewer._shown[partner[0]][partner[1:]] = True
        return fewer

    def sheets(self) -> Sheets:
        """The sheets with all that is hidden."""
        made = []
        for at, sheet in enumerate(self._sheets):
            cells = np.zeros(sheet.values.shape, np.bool_)
            for number, row, column in (*self._exposed, *self._partners):
                if number == at:
                    cells[row, column] = True
            made.append(taken_out(sheet, cells, sheet.hides_as) if cells.any() else sheet)
        return tuple(made)

    def _hide(self, cells: list[Cell], group: dict[Cell, None]) -> None:
        for cell in cells:
            group[cell] = None
            self._shown[cell[0]][cell[1:]] = False

    def _alike(self, cell: Cell) -> list[Cell]:
        """The cell in every table that shows it and may be changed."""
        number, row, column = cell
        label = self._sheets[number].label(row, column)
        found = []
        for at, sheet in enumerate(self._sheets):
            place = (row, column) if at == number else sheet.place(label)
            if place is not None and sheet.name not in self._fixed and self._shown[at][place]:
                found.append((at, *place))
        return found

    def _partner(self, finding: Finding) -> Cell | None:
        """A cell to hide for the sake of one that is hidden: of those that its witness names, else of its sums."""
        own = _cell_of(finding, self._sheets)
        named = [cell for cell in _witnesses(finding, self._sheets) if cell != own and self._alike(cell)]
        if not named and own is not None:
            near = self._sheets[own[0]].near(*own[1:]).tolist()
            named = [(own[0], row, column) for row, column in near if self._alike((own[0], row, column))]
        return min(named, key=self._cost, default=None)

    def _cost(self, cell: Cell) -> tuple[int, bool, bool, int, Cell]:
        """Small areas before large ones, categories before totals, then the smallest that is no small count."""
        number, row, column = cell
        sheet = self._sheets[number]
        total = not sheet.label(row, column)[3]
        value = int(sheet.values[row, column])
        return sheet.level(row), total, value < self._min_count, value, cell


def _cell_of(finding: Finding, sheets: Sheets) -> Cell | None:
    return _read(finding.cell, finding.table, sheets)


def _read(text: str, table: str, sheets: Sheets) -> Cell | None:
    """The cell of a name, of the table named first."""
    order = sorted(range(len(sheets)), key=lambda at: sheets[at].name != table)
    for at in order:
        place = sheets[at].read(text)
        if place is not None:
            return at, *place
    return None


def _witnesses(finding: Finding, sheets: Sheets) -> Iterator[Cell]:
    """The cells that a witness names: each stands before what is shown of it in brackets."""
    levels = list(dict.fromkeys(level for sheet in sheets for level in sheet.hierarchy.levels))
    for chunk in finding.witness.split(" ("):
        for level in levels:
            at = chunk.rfind(f"{level} ")
            if at < 0 or (at and chunk[at - 1].isalnum()):
                continue
            cell = _read(chunk[at:], finding.table, sheets)
            if cell is not None:
                yield cell
                break
