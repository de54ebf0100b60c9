"""What somebody who stands alone in a hidden cell learns of others, in a table of which some cells are hidden.

Whoever stands alone in a cell knows that it is 1, and knows every cell of count 1
that contains them.  With the truth at hand, every such person is tried.  In tables
of up to `EXACT_CELLS` hidden cells each other cell is held against them by a flow: can
it change while what they know stays as it is?  In larger ones the answer comes from
cut pairs and regions (`sdc.suppression.lone`), which is exact where every known
cell is protected by itself, and sound elsewhere.

Without the truth nobody can say where a lone claimant stands.  Then it is told how many
hidden cells would be known to somebody who stands alone in another: cut pairs
(`sdc.attack.cutpairs`) of which one may hold a single person.
"""

import numpy as np
from numba import njit

from sdc.attack.attacked import Attacked
from sdc.attack.cutpairs import cut_classes, cut_labels
from sdc.attack.intervals import NO_BOUND
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.witness import flat_bounds
from sdc.findings import Audit, Finding
from sdc.network import flatten
from sdc.suppression.arcs import Arcs, hide_cells, make_arcs
from sdc.suppression.claimants import changes, claimants_of, hold, own_affair, release
from sdc.suppression.lone import Exposed, find_exposed
from sdc.suppression.search import Scratch, make_scratch
from sdc.tables import SUPPRESSED

__all__ = ["EXACT_CELLS", "alone_findings"]

EXACT_CELLS = 2000
# Seeds the words of labels: they are no secret, an attacker draws their own.
LABELS = 4


def alone_findings(table: Attacked) -> Audit:
    """What lone claimants learn of a table with suppressed cells; nothing to tell of other tables."""
    if not any((markers == SUPPRESSED).any() for markers in table.safe.markers):
        return Audit()
    lower, upper = flat_bounds(table.bounds)
    hidden = np.flatnonzero(lower < upper).astype(np.int32)
    words = np.random.default_rng(LABELS).integers(1, 2**64, len(hidden), dtype=np.uint64)
    if table.truth is None:
        return _would_be_known(table, hidden, words, lower, upper)
    counts = flatten(table.truth.counts)
    arcs = make_arcs(table.network, counts=counts, price=np.ones(len(counts), np.int32), lower=lower, upper=upper)
    hide_cells(arcs, hidden)
    scratch, claimants = make_scratch(arcs), claimants_of(table.truth)
    if len(hidden) <= EXACT_CELLS:
        alone = (claimants.alone, claimants.unit, claimants.column, claimants.above, claimants.level)
        exposed = _each_tried(arcs, scratch, hidden, alone)
        how = "exact, by flows"
    else:
        every = np.zeros(len(counts), np.uint64)
        every[hidden] = words
        exposed = find_exposed(table.network, arcs, scratch, claimants, every)
        how = "by cut pairs: exact where every cell they know is protected by itself"
    audit = Audit(
        checked=(f"{table.name}: what somebody who stands alone in hidden cells learns of others ({how})",),
        not_checked=(f"{table.name}: {exposed.untried} lone claimants in very large blocks",)
        if exposed.untried
        else (),
    )
    return audit.joined(_found(table, counts, exposed))


def _found(table: Attacked, counts: np.ndarray, exposed: Exposed) -> Audit:
    names = table.names
    cells, first = np.unique(exposed.cell, return_index=True)

    def tell(at: int) -> Finding:
        entry = int(first[at])
        known = [names.name(int(cell)) for cell in exposed.known[exposed.first[entry] : exposed.first[entry + 1]]]
        cell = int(cells[at])
        value = int(counts[cell])
        text = f"somebody who stands alone in {' and '.join(known[:3])} knows that it is 1; then this cell is {value}"
        return Finding(
            kind="learned by a lone claimant",
            severity="disclosure",
            table=table.name,
            cell=names.name(cell),
            witness=text,
            interval=(value, value),
        )

    return listed(table.name, "learned by a lone claimant", range(min(len(cells), MOST_LISTED)), tell, len(cells))


def _would_be_known(
    table: Attacked, hidden: np.ndarray, words: np.ndarray, lower: np.ndarray, upper: np.ndarray
) -> Audit:
    """Hidden cells that follow from another which may hold one person: a warning, for nobody says that one does."""
    network = table.network
    labels = cut_labels(network.tails[hidden], network.heads[hidden], network.nodes, words)
    members, first = cut_classes(labels)
    cells = hidden[members]
    of_class = np.repeat(np.arange(len(first) - 1), np.diff(first))
    may_be_one = (lower[cells] <= 1) & (upper[cells] >= 1)
    ones, sizes = np.bincount(of_class[may_be_one], minlength=len(first) - 1), np.diff(first)
    others = np.sort(cells[(ones[of_class] - may_be_one > 0) & (sizes[of_class] > 1)])
    names = table.names
    lo, hi = flat_bounds(table.tight)

    def tell(cell: int) -> Finding:
        mates = cells[(of_class == of_class[np.flatnonzero(cells == cell)[0]]) & (cells != cell)]
        text = f"whoever stands alone in {names.name(int(mates[0]))}, if anybody does, knows this cell too"
        return Finding(
            kind="known to a lone claimant",
            severity="warning",
            table=table.name,
            cell=names.name(cell),
            witness=text,
            interval=(int(lo[cell]), None if hi[cell] >= NO_BOUND else int(hi[cell])),
        )

    audit = listed(table.name, "known to a lone claimant", others[:MOST_LISTED].tolist(), tell, len(others))
    return audit.joined(
        Audit(not_checked=(f"{table.name}: where lone claimants stand, which only the true counts tell",))
    )


def _each_tried(arcs: Arcs, scratch: Scratch, hidden: np.ndarray, alone: tuple[np.ndarray, ...]) -> Exposed:
    """Every hidden cell held against every lone claimant."""
    # Shown cells of theirs too: what lies within these is their own affair.
    persons = np.unique(alone[0][hidden][alone[0][hidden] >= 0])
    known = np.flatnonzero((alone[0] >= 0) & np.isin(alone[0], persons)).astype(np.int32)
    known = known[np.argsort(alone[0][known], kind="stable")]
    at = np.flatnonzero(np.diff(alone[0][known], prepend=-1))
    number = np.diff(at, append=len(known))
    found = np.empty((len(at) * len(hidden), 2), np.int32)
    total = _try_each(arcs, scratch, known, at, number, hidden, *alone, found)
    who, cell = found[:total, 0], found[:total, 1]
    first = np.concatenate([[0], np.cumsum(number[who])]).astype(np.int64)
    places = np.arange(first[-1]) - np.repeat(first[:-1] - at[who], number[who])
    return Exposed(cell=cell, first=first, known=known[places], together=np.ones(total, np.bool_))


@njit(cache=True)
def _try_each(arcs, s, known, at, number, cells, alone, unit, column, above, level, found):  # type: ignore[no-untyped-def]
    """(claimant, cell) in `found` wherever a cell that can change cannot while what the claimant knows stays; how many."""
    total = 0
    open_cells = np.empty(len(cells), np.bool_)
    for p in range(len(cells)):
        open_cells[p] = changes(arcs, s, cells[p])
    for i in range(len(at)):
        start, stop = at[i], at[i] + number[i]
        hold(arcs, s, known, start, stop)
        for p in range(len(cells)):
            theirs = not open_cells[p]
            for q in range(start, stop):
                theirs = theirs or own_affair(cells[p], known[q], alone, unit, column, above, level)
            if not theirs and not changes(arcs, s, cells[p]):
                found[total, 0] = i
                found[total, 1] = cells[p]
                total += 1
        release(arcs, s, known, start, stop)
    return total
