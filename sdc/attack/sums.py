"""Sums of one table that do not hold, although its method makes figures that add up."""

import numpy as np

from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.pieces import Piece
from sdc.findings import Audit, Finding
from sdc.tables import LOW, SHOWN, STRUCTURAL, TOTAL

__all__ = ["audit_sums"]

ADDITIVE = ("controlled-rounding", "small-count-rounding", "exact", "suppression")


def audit_sums(piece: Piece) -> Audit:
    """Totals that are not the sum of their parts, where all of them are shown: of additive methods, and as counted."""
    if piece.method.name not in ADDITIVE:
        return Audit()
    told = np.isin(piece.markers, (SHOWN, LOW, STRUCTURAL))
    values = np.where(told, piece.values, 0)
    hits: list[tuple[tuple[int, ...], int]] = []
    number = 0
    for at, axis in enumerate(piece.axes):
        above = axis.above()
        summed, unsaid = (_summed(one, above, at) for one in (values, (~told).astype(np.int64)))
        wholes = np.bincount(above[above >= 0], minlength=len(above)) > 0
        wholes = wholes.reshape([-1 if one == at else 1 for one in range(values.ndim)])
        wrong = wholes & told & (unsaid == 0) & (summed != values)
        places = np.argwhere(wrong)
        number += len(places)
        hits += [(tuple(place), int(summed[tuple(place)])) for place in places[: MOST_LISTED - len(hits)].tolist()]

    def tell(hit: tuple[tuple[int, ...], int]) -> Finding:
        spot, summed = hit
        text = f"shown as {int(values[spot])}, its parts add up to {summed}: {_made(piece.method.name)} add up"
        cell = _name(piece, spot)
        return Finding(kind="contradiction", severity="contradiction", table=piece.name, cell=cell, witness=text)

    audit = listed(piece.name, "contradiction", hits, tell, number)
    return audit.joined(Audit(checked=(f"{piece.name}: totals are the sums of their parts",)))


def _name(piece: Piece, spot: tuple[int, ...]) -> str:
    """A cell as findings of single tables call it: level and code of the area, then dimension=code."""
    (level, area), *others = (axis.code(place) for axis, place in zip(piece.axes, spot, strict=True))
    told = [f"{name}={code}" for name, (_, code) in zip(piece.dimensions, others, strict=True) if code != TOTAL]
    return ", ".join([f"{level} {area}", *(told or [TOTAL])])


def _made(method: str) -> str:
    return "exact figures" if method == "exact" else f"figures made by {method}"


def _summed(values: np.ndarray, above: np.ndarray, axis: int) -> np.ndarray:
    """At every place the sum of those that have it right above them along an axis: int64 of the values' shape."""
    moved = np.moveaxis(values, axis, 0)
    sums = np.zeros_like(moved, dtype=np.int64)
    inside = above >= 0
    np.add.at(sums, above[inside], moved[inside])
    return np.moveaxis(sums, 0, axis)
