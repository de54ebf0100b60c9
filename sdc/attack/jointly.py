"""The attack on all published tables together, and the verdict on it.

Every figure is one cell of the joint system (`sdc.attack.joint`), whoever tells it.
The intervals are those of `sdc.attack.programmes`; the promise is held against them as
`sdc.attack.systems` does, for figures that are published and for those that
follow: what two geographies leave of an area is a count of people too.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.averaging import averaging_audit
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joined import Joined, joined
from sdc.attack.joint import Flow, Joint, Within
from sdc.attack.jointtheorem import check_joint, in_a_ring
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.naming import figure_name, figure_shown
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.attack.witness import between
from sdc.differencing.differences import add_differences
from sdc.differencing.revisions import Revision, audit_revision
from sdc.findings import Audit, Finding
from sdc.system import SafeCells
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED, Method

__all__ = ["JointNames", "audit_pieces", "two_values"]

# Blocks of more open cells are searched in neighbourhoods of so many.
MOST_CELLS = 240


def audit_pieces(
    pieces: Sequence[Piece],
    *,
    min_count: int,
    width: int | None = None,
    public: Collection[str] = (),
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    revisions: Sequence[Revision] = (),
    variances: Mapping[str, float] | None = None,
    most_cells: int = MOST_CELLS,
    ready: Joined | None = None,
    progress: Progress = SILENT,
) -> Audit:
    """Attack several published tables as one, and judge what can be proven.

    Parameters
    ----------
    min_count : smallest non-zero count that may be told; a count x is *small* where 1 <= x <= min_count - 1.
        Of cells whose truth nobody has: where the interval meets that range.
    width : promised hi - lo of a small count's interval; min_count - 1 by default.
    public : names of pieces that others have published: what they tell is known, and is not judged.
    overlaps, within, flows : see `sdc.attack.joint.join_pieces`.
    revisions : editions of one reference date, see `sdc.differencing.revisions`.
    variances : by piece, the variance of its noise, see `sdc.attack.averaging`.
    most_cells : see `sdc.attack.systems.audit_cells`.
    ready : these pieces, with what ties them, where they are joined already.

    Raises
    ------
    InputError
        A truth lies outside what published values allow.
    NotJoined
        As `join_pieces`.
    """
    if ready is None:
        progress.step("joining tables")
        ready = joined(pieces, overlaps=overlaps, within=within, flows=flows)
    pieces, joint = ready.pieces, ready.joint
    name = ", ".join(piece.name for piece in pieces)
    told = two_values(joint, pieces).joined(Audit(not_checked=joint.notes))
    for revision in revisions:
        changed = audit_revision(joint, pieces, revision, min_count=min_count, progress=progress)
        told = told.joined(changed)
    if variances:
        names = JointNames(joint, pieces)
        told = told.joined(averaging_audit(joint, pieces, variances, names, min_count=min_count))
    conditions = check_joint(joint, pieces, min_count=min_count, width=width)
    if conditions.hold:
        return told.joined(_by_theorem(name, pieces[0].method.base))
    if in_a_ring(pieces):
        rings = "what tables whose dimensions form a ring, such as A × B, B × C and A × C, say beyond the margins they share"
        told = told.joined(Audit(not_checked=(f"{name}: {rings} (sound, not exact)",)))
    joint, differences = add_differences(joint, pieces, min_count=min_count, width=width, progress=progress)
    audit = audit_cells(
        _published(name, joint, pieces, min_count),
        min_count=min_count,
        width=width,
        most_cells=most_cells,
        judged=_judged(joint, pieces, public),
        progress=progress,
    )
    why = Audit(figures={f"{name}: the theorem does not hold": list(conditions.failing)})
    return told.joined(audit).joined(differences).joined(why)


def _published(name: str, joint: Joint, pieces: Sequence[Piece], min_count: int) -> PublishedCells:
    """The joint cells as any others: what is known of them stands in their bounds."""
    markers = np.where(joint.hidden, SUPPRESSED, NOT_PUBLISHED).astype(np.int8)
    method = Method(name="suppression", base=1, min_count=min_count)
    return PublishedCells(
        name=name,
        equations=joint.system.equations,
        safe=SafeCells(values=np.zeros(len(markers), np.int64), markers=markers, method=method),
        names=JointNames(joint, pieces),
        truth=joint.truth if (joint.truth >= 0).any() else None,
        known=(joint.lo, joint.hi),
        figures=lambda cell: figure_shown(joint, pieces, cell),
    )


def _judged(joint: Joint, pieces: Sequence[Piece], public: Collection[str]) -> np.ndarray:
    """Cells that a piece of ours tells, or that follow and are counts of people: bool of shape (cells,)."""
    ours, theirs = (np.zeros(len(joint.system), np.bool_) for _ in range(2))
    for piece, place in zip(pieces, joint.places, strict=True):
        told = place[(place >= 0) & (piece.markers != NOT_PUBLISHED)]
        (theirs if piece.name in public else ours)[told] = True
    return (ours | ~theirs) & ~joint.left


def _by_theorem(name: str, base: int) -> Audit:
    """The verdict where no cell's interval is narrower than its own value says."""
    how = "exact, each cell's own (additive zero-restricted rounding of all of them together; conditions checked)"
    insiders = "insiders who know their own record: no other cell is learned exactly (by proof)"
    unproven = "what insiders learn of other cells: the proof needs a base of 3 or more"
    return Audit(
        checked=(f"intervals of {name}: {how}", *((insiders,) if base >= 3 else ())),
        not_checked=() if base >= 3 else (unproven,),
        figures={f"{name}: path": "theorem"},
    )


class JointNames(Sequence[str]):
    """Names of joint cells: the table that tells of each, and what it calls it."""

    def __init__(self, joint: Joint, pieces: Sequence[Piece]) -> None:
        self._joint, self._pieces = joint, pieces

    def __len__(self) -> int:
        return len(self._joint.system)

    def __getitem__(self, cell):  # type: ignore[no-untyped-def]
        name = figure_name(self._joint, self._pieces, int(cell))
        teller = int(self._joint.teller[int(cell)])
        return f"{self._pieces[teller].name}: {name}" if teller >= 0 else f"{name} (in no table)"


def two_values(joint: Joint, pieces: Sequence[Piece]) -> Audit:
    """Figures that tables of one method show with different values: whoever has both knows more than either says."""
    cell, piece, value = _shown_values(joint, pieces)
    methods = [one.method for one in pieces]
    alike = np.array([methods.index(method) for method in methods])
    order = np.lexsort((np.arange(len(cell)), alike[piece], cell))
    cell, piece, value = cell[order], piece[order], value[order]
    new = np.append(True, (cell[1:] != cell[:-1]) | (alike[piece[1:]] != alike[piece[:-1]]))[: len(cell)]
    first = np.maximum.accumulate(np.where(new, np.arange(len(cell)), 0)) if len(cell) else np.empty(0, np.int64)
    hits = np.flatnonzero(value != value[first])
    names = JointNames(joint, pieces)

    def tell(at: int) -> Finding:
        one, other, where = int(piece[first[at]]), int(piece[at]), int(cell[at])
        lo, hi = int(joint.lo[where]), int(joint.hi[where])
        text = (
            f"{pieces[one].name} shows {value[first[at]]}, {pieces[other].name} shows {value[at]} for the same people"
        )
        left = f"together they leave {between(lo, hi)}" if lo <= hi else "no count gives both"
        return Finding(
            kind="two values",
            severity="contradiction",
            table=pieces[other].name,
            cell=names[where],
            witness=f"{text}: {left}",
            interval=(lo, None if hi >= NO_BOUND else hi),
        )

    whole = ", ".join(one.name for one in pieces)
    audit = listed(whole, "two values", hits[:MOST_LISTED].tolist(), tell, len(hits))
    return audit.joined(Audit(checked=("figures that several tables show: one value each",)))


def _shown_values(joint: Joint, pieces: Sequence[Piece]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joint cell, piece and value of every value that is shown, piece after piece: int64 of one shape."""
    cells, numbers, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, (piece, place) in enumerate(zip(pieces, joint.places, strict=True)):
        told = (place >= 0) & (piece.markers == SHOWN)
        cells.append(place[told])
        values.append(piece.values[told])
        numbers.append(np.full(int(told.sum()), number))
    return np.concatenate(cells), np.concatenate(numbers), np.concatenate(values)
