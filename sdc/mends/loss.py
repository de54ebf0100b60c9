"""What a mend costs: cells that are no longer shown, and the error of what is, by level of areas."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.mends.sheet import Sheet, Sheets, shown_cells
from sdc.utility.cells import cell_measures

__all__ = ["Loss", "error_told", "loss_told", "losses"]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What a mend costs at one level of areas, over all tables.

    Attributes
    ----------
    cells : cells that showed a value before.
    hidden : of these, cells that show none after it.
    error : mean |published value - true count| of the cells shown after it; None where no truth is known.
    error_before : the same before it.
    """

    level: str
    cells: int
    hidden: int
    error: float | None = None
    error_before: float | None = None


def losses(before: Sheets, after: Sheets) -> tuple[Loss, ...]:
    """Loss by level of areas, in the order in which tables have them."""
    now = {sheet.name: sheet for sheet in after}
    levels = list(dict.fromkeys(level for sheet in before for level in sheet.hierarchy.levels))
    return tuple(_loss(level, before, now) for level in levels)


def _loss(name: str, before: Sheets, now: Mapping[str, Sheet]) -> Loss:
    cells = hidden = 0
    parts: dict[str, list[tuple[np.ndarray, ...]]] = {"before": [], "after": []}
    for sheet in before:
        if name not in sheet.hierarchy.levels:
            continue
        level = sheet.hierarchy.levels.index(name)
        rows = slice(int(sheet.starts[level]), int(sheet.starts[level + 1]))
        after = now.get(sheet.name)
        was = shown_cells(sheet)[rows]
        left = np.zeros_like(was) if after is None else shown_cells(after)[rows]
        cells += int(was.sum())
        hidden += int((was & ~left).sum())
        if sheet.truth is not None:
            parts["before"].append((sheet.truth[rows], sheet.values[rows], was))
            parts["after"].append((sheet.truth[rows], (after or sheet).values[rows], left))
    return Loss(
        level=name, cells=cells, hidden=hidden, error=_error(parts["after"]), error_before=_error(parts["before"])
    )


def _error(parts: Sequence[tuple[np.ndarray, ...]]) -> float | None:
    """Mean |published - true| over shown cells; None where there are none."""
    if not parts:
        return None
    true, safe, shown = (np.concatenate([part.ravel() for part in each])[:, None] for each in zip(*parts, strict=True))
    error = float(cell_measures(true, safe, shown)["mean_absolute_error"][0])
    return None if np.isnan(error) else round(error, 6)


def loss_told(loss: Sequence[Loss]) -> str:
    """How many cells are no longer shown."""
    hidden = [f"{one.hidden:,} of {one.cells:,} cells of {one.level}" for one in loss if one.hidden]
    return f"No longer shown: {', '.join(hidden)}." if hidden else "Every cell that showed a value still does."


def error_told(loss: Sequence[Loss]) -> str:
    """The mean error where it changes, measured against true counts: for the reviewer alone."""
    errors = [
        f"{one.error:.3g} at {one.level}" for one in loss if one.error is not None and one.error != one.error_before
    ]
    return f" Mean error of what is shown: {', '.join(errors)}." if errors else ""
