"""The attack on caseload and flows together: as one system where that is small, else where flows are told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from common.progress import SILENT, Progress
from releases.attack.attacking import attack_targets
from releases.attack.pieces import Read
from sdc.attack.joint import Flow
from sdc.attack.pieces import Piece
from sdc.attack.targets import Target
from sdc.attack.trimming import cut_below
from sdc.findings import Audit
from sdc.tables import NOT_PUBLISHED

__all__ = ["MOST_JOINTLY", "attack_with_flows"]

# Places of all tables up to which they are attacked as one system with what flows say of them.
MOST_JOINTLY = 50_000
# How the attack on single measures says that it leaves the others out.
APART = "tables of different populations or dates against each other: "


def attack_with_flows(read: Read, targets: Sequence[Target], *, progress: Progress = SILENT, **asked: Any) -> Audit:
    """Attack tables as `releases.attack.attacking.attack_targets` does, and with what `read.flows` say of them.

    Tables of more than `MOST_JOINTLY` places are attacked without these first, and then with them in the areas that
    flows are told for: smaller ones stand in no relation.
    """
    told = {one.piece.measure for one in targets}
    flows = tuple(one for one in read.flows if one.measures <= told)
    tied = {measure for one in flows for measure in one.measures}
    before = {one.before for one in read.flows if one.before is not None}
    chosen = [one for one in targets if one.piece.measure in tied]
    ours = [one for one in targets if one.piece.measure not in before]
    untied = Audit(not_checked=read.untied)
    if flows and _places(chosen) <= MOST_JOINTLY:
        asking = [one for one in targets if one.piece.measure not in before - tied]
        return attack_targets(replace(read, flows=flows), asking, progress=progress, **asked).joined(untied)
    audit = attack_targets(replace(read, flows=()), ours, progress=progress, **asked)
    if not flows or (asked.get("verdict") and not audit.safe):
        return audit.joined(untied)
    if {one.piece.measure for one in ours} <= tied:
        audit = replace(audit, not_checked=tuple(one for one in audit.not_checked if not one.startswith(APART)))
    together = _in_larger_areas(read, flows, chosen, asked, progress)
    return audit.joined(together).joined(untied)


def _in_larger_areas(
    read: Read, flows: tuple[Flow, ...], chosen: Sequence[Target], asked: dict[str, Any], progress: Progress
) -> Audit:
    """The attack on caseload and flows without the areas that are too small for it, or that no flow is told for."""
    levels = max((one.piece.axes[0].hierarchy.levels for one in chosen), key=len)
    smallest = max(_smallest(chosen, flow, levels) for one in flows for flow in (one.on, one.off) if flow is not None)
    for level in levels[smallest:]:
        pieces = [_from_level(one.piece, level) for one in chosen]
        if sum(one.values.size for one in pieces) <= MOST_JOINTLY:
            cut = [
                Target(piece=piece, public=one.public, insiders=()) for piece, one in zip(pieces, chosen, strict=True)
            ]
            audit = attack_targets(replace(read, flows=flows), cut, progress=progress, **asked)
            below = f"caseload and flows together: what they say of areas smaller than those of the level '{level}'"
            others = "caseload and flows together: what others have published narrows the caseload alone"
            left = (below, others) if any(one.known is not None for one in chosen) else (below,)
            return audit.joined(Audit(not_checked=left))
    return Audit(not_checked=(f"caseload and flows together: tables of more than {MOST_JOINTLY:,} places",))


def _smallest(chosen: Sequence[Target], measure: str, levels: Sequence[str]) -> int:
    """The place, among all levels, of the smallest that tables of a measure are told for."""
    found = []
    for one in chosen:
        if one.piece.measure == measure:
            axis = one.piece.axes[0]
            told = (one.piece.markers != NOT_PUBLISHED).reshape(len(one.piece.markers), -1).any(axis=1)
            first = int(np.flatnonzero(told)[0]) if told.any() else 0
            at = int(np.searchsorted(axis.starts, first, side="right")) - 1
            found.append(levels.index(axis.hierarchy.levels[at]))
    return min(found)


def _from_level(piece: Piece, level: str) -> Piece:
    names = piece.axes[0].hierarchy.levels
    return cut_below(piece, names.index(level)) if level in names else piece


def _places(targets: Sequence[Target]) -> int:
    return sum(one.piece.values.size for one in targets)
