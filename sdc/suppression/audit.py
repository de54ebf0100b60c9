"""The exact audit of a pattern of hidden cells on the whole graph: who can prove what.

For every hidden cell the feasibility interval [lo, hi] that follows from all
cells shown, additivity and non-negativity, by two residual max flows
(`sdc.attack.maxflow`); bridges (`sdc.attack.bridges`) as a second opinion on
what is exact; and what lone claimants learn (`sdc.suppression.lone`).  Nothing
here knows how the pattern was made.

A pattern is *clean* when

* the interval of every cell that asks for protection covers [x - lower, x + upper];
* no hidden cell that a reader must think small (its interval meets 1 … min_count - 1)
  is pinned there or narrower than `width`;
* no lone claimant learns another cell.
"""

from dataclasses import dataclass

import numpy as np

from common.progress import SILENT, Progress
from sdc.attack.bridges import blocks, find_bridges
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.maxflow import Residual
from sdc.attack.residual import shift
from sdc.attack.witness import Names, because, flat_bounds
from sdc.findings import Audit, Finding
from sdc.network import Network, build_network, flatten, unflatten
from sdc.suppression.arcs import hide_cells, make_arcs
from sdc.suppression.claimants import claimants_of
from sdc.suppression.keyed import cell_words
from sdc.suppression.lone import Exposed, find_exposed
from sdc.suppression.search import make_scratch
from sdc.suppression.spec import Protection, protection_of
from sdc.tables import SHOWN, SUPPRESSED, Method, SafeTable, Table

__all__ = ["EXACT", "KNOWN", "LEARNED", "NARROW", "SAFE", "VERDICTS", "VISIBLE", "PatternAudit", "audit_pattern"]

Masks = tuple[np.ndarray, ...]

# What the audit says of a cell, the breaches last.
VISIBLE, SAFE, KNOWN, LEARNED, NARROW, EXACT = range(6)
VERDICTS = {
    VISIBLE: "shown",
    SAFE: "hidden and safe",
    KNOWN: "hidden to no use: a reader knows it, and it is not small",
    LEARNED: "learned by a lone claimant",
    NARROW: "the interval is too narrow",
    EXACT: "known exactly",
}
MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class PatternAudit:
    """What is proven about a pattern.

    Attributes
    ----------
    verdict : per level, int8 of the table's shape; see `VERDICTS`.
    intervals : bounds per cell; hi is exact, or `NO_BOUND` where it is at least what is asked for.
    exposed : what lone claimants learn.
    figures : hidden cells, bridges, blocks and the like.
    asked : int64 of shape (cells,), up to what count each hidden cell's interval was followed.
    """

    table: Table
    verdict: Masks
    intervals: Intervals
    exposed: Exposed
    figures: dict[str, int]
    asked: np.ndarray
    _network: Network
    _residual: Residual

    @property
    def clean(self) -> bool:
        """Whether nothing is proven that must not be."""
        return all(int(verdict.max(initial=0)) < LEARNED for verdict in self.verdict) and not self.exposed.untried

    def extremes(self, level: int, unit: int, column: int) -> tuple[Masks, Masks]:
        """Two whole tables that a reader cannot tell apart: the cell as small, and as large, as it can be.

        Where the audit did not follow it to its upper end, the second holds it at what was asked for, or more.
        """
        cell = self._network.cell(level, unit, column)
        state, graph = self._residual.state, self._residual.graph
        shift(graph, state, cell, False, int(state.flow[cell] - self.intervals.lo[level][unit, column]))
        low = state.flow.copy()
        high = min(int(self.intervals.hi[level][unit, column]), int(self.asked[cell]))
        shift(graph, state, cell, True, max(0, high - int(state.flow[cell])))
        shape = (self.table.hierarchy, self._network.columns)
        return unflatten(low, *shape), unflatten(state.flow.copy(), *shape)

    def as_audit(self, name: str) -> Audit:
        """The breaches as findings, `MOST_TOLD` of each kind, with the sums that prove them."""
        safe = _as_published(self.table, tuple(verdict != VISIBLE for verdict in self.verdict))
        names = Names(safe)
        verdict = flatten(self.verdict)
        findings = []
        for kind, code in (("exact", EXACT), ("too narrow", NARROW), ("learned by an insider", LEARNED)):
            for cell in np.flatnonzero(verdict == code)[:MOST_TOLD]:
                findings.append(self._finding(name, names, int(cell), kind))
        untried = f"{name}: {self.exposed.untried} lone claimants of several cells in very large blocks"
        return Audit(
            findings=tuple(findings),
            checked=(f"intervals of every hidden cell of {name}, and what lone claimants learn: exact",),
            not_checked=(untried,) if self.exposed.untried else (),
            figures={f"{name}: {what}": figure for what, figure in self.figures.items()},
        )

    def _finding(self, table: str, names: Names, cell: int, kind: str) -> Finding:
        low, high = self._residual.extreme(cell, up=False), self._residual.extreme(cell, up=True)
        says = because(names, self._bounds(), cell, low.cut, high.cut, says="which alone says")
        if kind.startswith("learned"):
            says += "; somebody who stands alone in another hidden cell knows it exactly"
        interval = (low.value, None if high.value >= NO_BOUND else high.value)
        return Finding(
            kind=kind, severity="disclosure", table=table, cell=names.name(cell), witness=says, interval=interval
        )

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        return self._residual.state.lower, self._residual.state.upper


def audit_pattern(
    table: Table,
    hidden: Masks,
    *,
    key: bytes,
    min_count: int = 5,
    width: int | None = None,
    asking: Masks | None = None,
    protection: Protection | None = None,
    known: Intervals | None = None,
    lone_claimants: bool = True,
    progress: Progress = SILENT,
) -> PatternAudit:
    """Attack a table of which some cells are hidden and all others shown.

    Parameters
    ----------
    hidden : bool per level, of the table's shape.
    key : what the random words of the cut-pair labels are drawn from.
    min_count : smallest non-zero count that may be told; a count x with 1 <= x <= min_count - 1 is small.
    width : least hi - lo of what looks small; min_count - 1 where not given.
    asking : cells that ask for protection, which must be hidden; where not given, small ones.
    protection : how far their intervals must reach; see `protection_of` for what is asked where not given.
    known : bounds that a reader has from elsewhere.

    Raises
    ------
    ValueError
        A count lies outside what is known of it.
    """
    network = build_network(table.hierarchy, len(table.classification))
    counts, mask = flatten(table.counts), flatten(hidden)
    lower, upper = (np.zeros_like(counts), np.full_like(counts, NO_BOUND)) if known is None else flat_bounds(known)
    lower, upper = np.where(mask, lower, counts), np.where(mask, upper, counts)
    if np.any((lower > counts) | (upper < counts)):
        raise ValueError("every count must lie within what is known of it")
    asks = ((counts >= 1) & (counts < min_count)) if asking is None else flatten(asking)
    protection = protection_of(table, min_count) if protection is None else protection
    width = min_count - 1 if width is None else width
    residual = Residual(network, lower, upper, counts)
    enough = np.where(asks, counts + flatten(protection.upper), min_count)
    lo, hi = _all_intervals(residual, mask, enough, width, progress)
    covers = (lo <= counts - flatten(protection.lower)) & (hi >= counts + flatten(protection.upper))
    exposed, figures = _structure(table, network, mask, key, lone_claimants, exact=lo == hi)
    verdict = _verdicts(mask, lo, hi, asks, covers, min_count, width)
    learned = exposed.cell[verdict[exposed.cell] < LEARNED]
    verdict[learned] = LEARNED
    shape = (table.hierarchy, network.columns)
    return PatternAudit(
        table=table,
        verdict=unflatten(verdict, *shape),
        intervals=Intervals(lo=unflatten(lo, *shape), hi=unflatten(hi, *shape)),
        exposed=exposed,
        figures=figures,
        asked=np.maximum(enough, lo + width),
        _network=network,
        _residual=residual,
    )


def _all_intervals(
    residual: Residual, mask: np.ndarray, enough: np.ndarray, width: int, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of hidden cells, upper ends followed as far as anybody asks."""
    lo, hi = residual.state.flow.copy(), residual.state.flow.copy()
    progress.step("audit", int(mask.sum()))
    for target in np.unique(enough[mask]).tolist():
        cells = np.flatnonzero(mask & (enough == target))
        lo[cells], hi[cells], _ = residual.intervals(cells, enough=target, width=width, progress=progress)
    return lo, hi


def _verdicts(
    mask: np.ndarray, lo: np.ndarray, hi: np.ndarray, asks: np.ndarray, covers: np.ndarray, min_count: int, width: int
) -> np.ndarray:
    looks_small = (hi >= 1) & (lo < min_count)
    tight = ((lo >= 1) & (hi < min_count)) | (hi - lo < width)
    verdict = np.full(len(mask), SAFE, np.int8)
    verdict[lo == hi] = KNOWN
    verdict[(looks_small & tight) | (asks & ~covers)] = NARROW
    verdict[(verdict == NARROW) & (lo == hi)] = EXACT
    verdict[~mask] = np.where(asks[~mask], EXACT, VISIBLE)
    return verdict


def _structure(
    table: Table, network: Network, mask: np.ndarray, key: bytes, lone_claimants: bool, exact: np.ndarray
) -> tuple[Exposed, dict[str, int]]:
    """Bridges, blocks, and what lone claimants learn."""
    hidden = np.flatnonzero(mask)
    tails, heads = network.tails[hidden], network.heads[hidden]
    bridge = find_bridges(tails, heads, network.nodes)
    if not exact[hidden[bridge]].all():
        raise RuntimeError("a bridge of the hidden cells must have an interval of one value")
    sizes = np.bincount(blocks(tails, heads, network.nodes, bridge)[~bridge])
    figures = {
        "hidden cells": len(hidden),
        "hidden cells known exactly": int(exact[hidden].sum()),
        "bridges": int(bridge.sum()),
        "blocks": len(sizes),
        "cells of the largest block": int(sizes.max(initial=0)),
    }
    if not lone_claimants:
        return Exposed.nobody(), figures
    arcs = make_arcs(network, counts=flatten(table.counts), price=np.ones(len(mask), np.int32), lower=0, upper=NO_BOUND)
    # What is known exactly is as good as shown.
    hide_cells(arcs, hidden[~exact[hidden]].astype(np.int32))
    # Words of the audit's own: not those that prices hang on.
    words = cell_words(table, key, "suppression audit")
    exposed = find_exposed(network, arcs, make_scratch(arcs), claimants_of(table), words)
    figures["cells that lone claimants learn"] = len(np.unique(exposed.cell))
    return exposed, figures


def _as_published(table: Table, hidden: Masks) -> SafeTable:
    return SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(np.where(mask, 0, counts) for mask, counts in zip(hidden, table.counts, strict=True)),
        markers=tuple(np.where(mask, SUPPRESSED, SHOWN).astype(np.int8) for mask in hidden),
        method=Method(name="suppression", base=1),
    )
