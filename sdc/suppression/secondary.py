"""Secondary suppression on the whole network graph: search, free, guard, widen, until nothing is left to mend.

The order of work (methods A4, 5.4): meet every demand by cheapest paths; free
what need not be hidden; hide what lone claimants would learn by; free again,
now with lone claimants guarded; widen what looks small and narrow to a reader.
Whether the result is safe is for `sdc.suppression.audit` to say, not for this module.
"""

from dataclasses import dataclass

import numpy as np

from common.progress import SILENT, Progress
from sdc.network import Network, build_network, flatten
from sdc.suppression.arcs import MUST_SHOW, Arcs, hide_cells, make_arcs, show_cells
from sdc.suppression.claimants import Claimants, claimants_of
from sdc.suppression.freeing import Book, free_cells, make_book
from sdc.suppression.guard import make_guard
from sdc.suppression.keyed import cell_words, keyed_prices
from sdc.suppression.lone import find_exposed, hide_from_claimants
from sdc.suppression.meeting import FlowDemands, demands_of, meet_all, reach_of
from sdc.suppression.search import Scratch, make_scratch
from sdc.suppression.spec import SuppressionSpec
from sdc.tables import Hierarchy, Table

__all__ = ["Failure", "Search", "begin_search", "choose_secondary", "finish_pattern", "in_order", "meet_and_free"]

# Smallest areas that are worked on together: their cells fit the processor's memory.
NEIGHBOURS = 500
# Rounds of mending; two or three are enough, one for what the one before has made.
MOST_ROUNDS = 50


@dataclass(frozen=True, kw_only=True, eq=False)
class Failure:
    """Cells for which no pattern of cells that may be hidden does what was asked.

    Attributes
    ----------
    unmet : cells whose interval cannot be made to reach as far as asked.
    learned : cells that lone claimants learn whatever is hidden.
    narrow : cells hidden to protect others that would look small and narrow to a reader.
    """

    unmet: np.ndarray
    learned: np.ndarray
    narrow: np.ndarray

    def __bool__(self) -> bool:
        return bool(len(self.unmet) or len(self.learned) or len(self.narrow))


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """One table being worked on; everything per cell is in network order.

    Attributes
    ----------
    counts : int64. price : int32. words : uint64, keyed.
    place : int32, the neighbourhood that a cell is worked on with.
    claimants : who stands alone where.
    """

    spec: SuppressionSpec
    network: Network
    counts: np.ndarray
    price: np.ndarray
    words: np.ndarray
    place: np.ndarray
    claimants: Claimants
    arcs: Arcs
    scratch: Scratch


def begin_search(
    table: Table,
    spec: SuppressionSpec,
    key: bytes,
    *,
    lower: np.ndarray | int,
    upper: np.ndarray | int,
    shown: np.ndarray,
) -> Search:
    """A search with nothing hidden yet.

    `lower` and `upper` are what a reader knows of each cell anyway; `shown` (bool per cell) may not be hidden.
    """
    network = build_network(table.hierarchy, len(table.classification))
    words = cell_words(table, key)
    price = keyed_prices(table, spec, words)
    price[shown] = MUST_SHOW
    counts = flatten(table.counts)
    arcs = make_arcs(network, counts=counts, price=price, lower=lower, upper=upper)
    return Search(
        spec=spec,
        network=network,
        counts=counts,
        price=price,
        words=words,
        place=_neighbourhoods(table.hierarchy, network.columns),
        claimants=claimants_of(table),
        arcs=arcs,
        scratch=make_scratch(arcs),
    )


def _neighbourhoods(hierarchy: Hierarchy, columns: int) -> np.ndarray:
    """A number for each cell: the area it lies in at the lowest level with some hundred smallest areas each, -1 above."""
    level = 0
    while level < len(hierarchy.levels) - 1 and hierarchy.units[0] < NEIGHBOURS * hierarchy.units[level]:
        level += 1
    places = [
        hierarchy.ancestors(below, level) if below <= level else np.full(units, -1, np.int32)
        for below, units in enumerate(hierarchy.units)
    ]
    return np.repeat(np.concatenate(places), columns)


def in_order(search: Search, cells: np.ndarray) -> np.ndarray:
    """Cells in the order in which their demands are met: by neighbourhood, largest count first, ties by the key."""
    order = np.lexsort((search.words[cells], -search.counts[cells], search.place[cells]))
    return cells[order].astype(np.int32)


def choose_secondary(
    search: Search, *, fixed: np.ndarray, demands: FlowDemands, progress: Progress = SILENT
) -> Failure | None:
    """Hide `fixed` (bool per cell) and what else is needed; the pattern is left in ``search.arcs.hidden``.

    Returns what could not be done, None where all was.
    """
    book, failure = meet_and_free(search, fixed=fixed, demands=demands, progress=progress)
    if failure:
        return failure
    if search.spec.lone_claimants:
        progress.step("lone claimants")
        learned = _mend(search)
        if len(learned):
            return _failure(learned=learned)
        _free(search, demands, book, guarded=True)
    return finish_pattern(search, fixed)


def meet_and_free(
    search: Search, *, fixed: np.ndarray, demands: FlowDemands, progress: Progress = SILENT
) -> tuple[Book, Failure | None]:
    """Hide `fixed` and what meets the demands, and free what they do not need; lone claimants are not thought of."""
    arcs, scratch = search.arcs, search.scratch
    hide_cells(arcs, np.flatnonzero(fixed).astype(np.int32))
    progress.step("secondary suppression")
    unmet = np.zeros(len(demands.cell), np.bool_)
    meet_all(arcs, scratch, demands, np.empty(len(fixed), np.int32), unmet)
    progress.step("freeing")
    book = make_book(arcs, scratch, demands, fixed)
    if unmet.any():
        return book, _failure(unmet=demands.owner[unmet])
    _free(search, demands, book, guarded=False)
    return book, None


def _failure(
    *, unmet: np.ndarray | None = None, learned: np.ndarray | None = None, narrow: np.ndarray | None = None
) -> Failure:
    none = np.zeros(0, np.int32)
    return Failure(
        unmet=none if unmet is None else np.unique(unmet),
        learned=none if learned is None else np.unique(learned),
        narrow=none if narrow is None else narrow,
    )


def _free(search: Search, demands: FlowDemands, book: Book, *, guarded: bool) -> None:
    """Try all secondary cells once, dearest of each neighbourhood first."""
    cells = np.flatnonzero(search.arcs.hidden & ~book.fixed)
    tries = cells[np.lexsort((-search.price[cells], search.place[cells]))].astype(np.int32)
    guard = make_guard(search.claimants, search.words, search.network.nodes, on=guarded)
    free_cells(search.arcs, search.scratch, demands, book=book, tries=tries, guard=guard)


def _mend(search: Search) -> np.ndarray:
    """Hide cells until no lone claimant learns another; returns the cells for which that fails."""
    for _ in range(MOST_ROUNDS):
        exposed = find_exposed(search.network, search.arcs, search.scratch, search.claimants, search.words)
        if not len(exposed):
            return exposed.cell
        _, unmended = hide_from_claimants(search.arcs, search.scratch, exposed)
        if unmended.any():
            return exposed.cell[unmended]
    return exposed.cell


def finish_pattern(search: Search, fixed: np.ndarray) -> Failure | None:
    """Show what is hidden to no use, widen what looks small and narrow, mend what that makes; until nothing is left."""
    for _ in range(MOST_ROUNDS):
        hidden = search.arcs.hidden.copy()
        unmet = _widen(search, fixed)
        if len(unmet):
            return _failure(narrow=unmet)
        learned = _mend(search) if search.spec.lone_claimants else unmet
        if len(learned):
            return _failure(learned=learned)
        if np.array_equal(hidden, search.arcs.hidden):
            return None
    return _failure(learned=np.flatnonzero(hidden != search.arcs.hidden))


def _widen(search: Search, fixed: np.ndarray) -> np.ndarray:
    """Show secondary cells that a reader knows anyway, and widen those that look small; returns where that fails.

    A cell looks small where its interval meets 1 … min_count - 1; it must not lie within, and span min_count - 1.
    A known one is shown for what it does to labels: it can be a zero that no cycle of changes runs
    over, in a graph where one seems to.
    """
    arcs, scratch, least = search.arcs, search.scratch, search.spec.min_count
    cells = np.flatnonzero(arcs.hidden & ~fixed).astype(np.int32)
    below, above = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.int64)
    counts = search.counts[cells]
    reach_of(arcs, scratch, cells, np.maximum(least - counts, 0), least - 1, below, above)
    useless = below + above == 0
    show_cells(arcs, cells[useless])
    lo, hi = counts - below, counts + above
    tight = ~useless & (hi >= 1) & (lo < least) & (((lo >= 1) & (hi < least)) | (hi - lo < least - 1))
    narrow = cells[tight]
    upper = np.maximum(np.maximum(least - counts, 0), least - 1 - below)[tight]
    demands = demands_of(narrow, lower=np.zeros_like(upper), upper=upper)
    unmet = np.zeros(len(demands.cell), np.bool_)
    meet_all(arcs, scratch, demands, np.empty(len(fixed), np.int32), unmet)
    return np.unique(demands.owner[unmet])
