"""The attack on published cells of any shape, and the verdict on them.

As `sdc.attack.judge` for tables that are networks: intervals of every cell that
may be small, held against the promise (`sdc.attack.promise` states its
inequalities), each finding with the sums that prove it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common.faults import Faults
from common.progress import SILENT, Progress
from sdc.attack.changes import Changes
from sdc.attack.elimination import Block, find_blocks
from sdc.attack.intervals import NO_BOUND
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.neighbourhoods import Ground
from sdc.attack.programmes import Demand, Found, feasible_intervals, stated_bounds
from sdc.attack.promise import Rules
from sdc.attack.witness import between, leaving, shown_text
from sdc.findings import Audit, Finding
from sdc.solver import Programme, Rows, Solution
from sdc.system import Equations, SafeCells
from sdc.tables import SUPPRESSED

__all__ = ["PublishedCells", "audit_cells"]

# Terms of an equation that a witness names; coefficients below this are noise.
TERMS = 8
NOISE = 1e-7
# Open cells around a cell among which a witness is looked for, and the most of a block in which it is looked for at last.
AROUND, MOST_AROUND = (60, 240, 1500), 10_000

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class PublishedCells:
    """Cells as published, with the sums that hold between them.

    Attributes
    ----------
    name : of the table, or of the tables that were joined.
    equations : over the cells; cells in no published table have the marker NOT_PUBLISHED.
    names : what to call each cell.
    truth : int64 of shape (cells,), -1 where it is not known, or None; of cells with a truth only truly small ones count.
    known : bounds that the attacker has from elsewhere.
    figures : what is shown of a cell, and that this leaves what follows; else its value or marker is told.
    """

    name: str
    equations: Equations
    safe: SafeCells
    names: Sequence[str]
    truth: np.ndarray | None = None
    known: Bounds | None = None
    figures: Callable[[int], str] | None = None

    @property
    def start(self) -> np.ndarray | None:
        """The truth, where it is known in full."""
        return None if self.truth is None or (self.truth < 0).any() else self.truth

    def shown(self, cell: int) -> str:
        """What a reader sees of a cell, and that this leaves what follows."""
        if self.figures is not None:
            return self.figures(cell)
        return leaving(
            [shown_text(int(self.safe.values[cell]), int(self.safe.markers[cell]))], alone=self.known is None
        )

    def bounds(self) -> Bounds:
        """What each cell's value says by itself, with what else is known of it."""
        lo, hi = stated_bounds(self.safe)
        return (lo, hi) if self.known is None else (np.maximum(lo, self.known[0]), np.minimum(hi, self.known[1]))


def audit_cells(
    published: PublishedCells,
    *,
    min_count: int,
    width: int | None = None,
    changes: Changes | None = None,
    most_cells: int | None = None,
    judged: np.ndarray | None = None,
    progress: Progress = SILENT,
) -> Audit:
    """Attack published cells, and judge what can be proven.

    Parameters
    ----------
    min_count : smallest non-zero count that may be told; a count x is *small*
        where 1 <= x <= min_count - 1.  Without the truth: where its interval meets that range.
    width : promised hi - lo of a small count's interval; min_count - 1 by default.
    changes : of the truth, as the certificates of a suppressed cube are.  Each is checked; small cells that they take to
        0, and to min_count and the width at least, keep the promise and are not followed further.
    most_cells : blocks of more open cells are searched in neighbourhoods of so many: sound, and told where not exact.
    judged : bool of shape (cells,), the cells that are held against the promise; all where not given.

    Raises
    ------
    ValueError
        Changes are given without the truth.
    InputError
        The truth lies outside what the published values allow, or does not add up.
    """
    rules = Rules(min_count=min_count, width=min_count - 1 if width is None else width)
    lo, hi = published.bounds()
    _check_truth(published, lo, hi)
    empty = np.flatnonzero(lo > hi)
    if len(empty):
        return _contradicted(published, int(empty[0]), "its own value and what else is known of it leave nothing")
    small = (hi >= 1) & (lo < min_count)
    if published.truth is not None:
        small = np.where(published.truth >= 0, (published.truth >= 1) & (published.truth < min_count), small)
    if judged is not None:
        small &= judged
    cleared = np.zeros(len(small), np.bool_)
    if changes is not None:
        cleared = small & _cleared(published, changes, lo, hi, max(min_count, rules.width))
    try:
        if published.truth is None:
            # Of what sums leave at least min_count nothing is proven.
            small &= narrow(published.equations, lo, hi)[0] < min_count
        asked = np.flatnonzero(small & ~cleared)
        found = feasible_intervals(
            published.equations,
            lo,
            hi,
            asked=asked,
            start=published.start,
            demand=_demand(published, asked, rules),
            most_cells=most_cells,
            progress=progress,
        )
    except NoSolution as none:
        whole = int(published.equations.entries(int(none.equations[0]))[0][0])
        sums = "this sum" if len(none.equations) == 1 else f"these {len(none.equations)} sums together"
        return _contradicted(
            published, whole, f"{sums} cannot be met by any table of whole numbers within the stated intervals"
        )
    given = Audit(figures={f"{published.name}: small cells cleared by changes given": int(cleared.sum())})
    audit = _judge(published, rules, asked, found).joined(_told(published, rules, asked, found))
    return audit if changes is None else audit.joined(given)


def _demand(published: PublishedCells, asked: np.ndarray, rules: Rules) -> Demand:
    """How far the asked cells are followed.

    What may be min_count + width or more keeps every promise, whatever its least value below min_count, and so does
    what may be 0 and may be min_count and width; of suppressed cells whose truth is known both ends are held against it.
    """
    enough = np.full(len(asked), rules.min_count + rules.width)
    from_zero = np.full(len(asked), max(rules.min_count, rules.width))
    return Demand(
        lo=np.zeros(len(asked), np.int64),
        hi=enough,
        enough=np.where(_bare(published, asked), NO_BOUND, enough),
        from_zero=from_zero,
    )


def _bare(published: PublishedCells, asked: np.ndarray) -> np.ndarray:
    """Cells that are suppressed and have a truth, which must lie in 0 to min_count: bool of the asked cells' shape."""
    hidden = published.safe.markers[asked] == SUPPRESSED
    return np.asarray(hidden & (published.truth is not None and published.truth[asked] >= 0))


def _cleared(published: PublishedCells, changes: Changes, lo: np.ndarray, hi: np.ndarray, far: int) -> np.ndarray:
    """Cells that changes of the truth take to 0 and to `far`: bool of shape (cells,)."""
    truth = published.start
    if truth is None:
        raise ValueError("changes can be checked only with the truth")
    standing = changes.standing(published.equations, truth, lo, hi)
    fall, rise = changes.reach(np.arange(len(lo)), standing)
    return np.asarray((truth - fall <= 0) & (truth + rise >= far))


def _check_truth(published: PublishedCells, lo: np.ndarray, hi: np.ndarray) -> None:
    if published.truth is None:
        return
    faults = Faults()
    mend = "give the counts that the table was made of, and the method it was made with"
    outside = np.flatnonzero((published.truth >= 0) & ((published.truth < lo) | (published.truth > hi)))
    for cell in outside[:MOST_LISTED].tolist():
        where = f"{published.name}: {published.names[cell]}"
        faults.add("truth", "the truth lies outside what the published value allows", mend, key=where)
    if len(outside) > MOST_LISTED:
        faults.add("truth", f"the same in {len(outside) - MOST_LISTED} more cells", mend, key=published.name)
    if not len(outside) and published.start is not None and published.equations.residuals(published.truth).any():
        faults.add("truth", "the truth does not add up", mend, key=published.name)
    faults.raise_if_any()


def _contradicted(published: PublishedCells, cell: int, sentence: str) -> Audit:
    finding = Finding(
        kind="contradiction",
        severity="contradiction",
        table=published.name,
        cell=published.names[cell],
        witness=f"{sentence}: no true table could have given these figures under the stated method",
    )
    return Audit(findings=(finding,))


def _judge(published: PublishedCells, rules: Rules, asked: np.ndarray, found: Found) -> Audit:
    """Small cells that are pinned, too narrow, not covered, or leave their insiders too little."""
    lo, hi, least = found.lo, found.hi, rules.min_count
    small = (hi >= 1) & (lo < least)
    pinned = small & (lo >= 1) & (hi < least)
    narrow = small & ~pinned & (hi - lo < rules.width)
    bare = _bare(published, asked) & ~pinned & ~narrow & ((lo > 0) | (hi < least))
    rest_lo, rest_hi = np.maximum(lo, 1) - 1, hi - 1
    left = small & (((rest_lo > 0) & (rest_hi < least)) | (rest_hi - rest_lo < rules.width - 1))
    left &= ~(pinned | narrow | bare)
    kinds = {
        "pinned": (pinned, "nothing but a small count is possible"),
        "too narrow": (narrow, f"the interval is narrower than {rules.width}"),
        "not covered": (bare, f"the interval does not cover 0 to {least}"),
        "insider": (left, "less themselves, somebody counted here learns too much of the others"),
    }
    audit = Audit(figures={f"{published.name}: small cells judged": int(small.sum())})
    for kind, (hit, meaning) in kinds.items():
        audit = audit.joined(_found(published, kind, meaning, asked, found, np.flatnonzero(hit)))
    return audit


def _found(
    published: PublishedCells, kind: str, meaning: str, asked: np.ndarray, found: Found, hits: np.ndarray
) -> Audit:
    def tell(at: int) -> Finding:
        cell, lo, hi = int(asked[at]), int(found.lo[at]), int(found.hi[at])
        text = f"{_reason(published, cell, lo, hi)}; so it is {between(lo, hi)}: {meaning}"
        return Finding(
            kind=kind,
            severity="disclosure",
            table=published.name,
            cell=published.names[cell],
            witness=text,
            interval=(lo, None if hi >= NO_BOUND else hi),
        )

    return listed(published.name, kind, hits[:MOST_LISTED].tolist(), tell, len(hits))


def _told(published: PublishedCells, rules: Rules, asked: np.ndarray, found: Found) -> Audit:
    """How the intervals were found, and what was not looked at."""
    figures: dict[str, object] = {f"{published.name}: cells asked": len(asked)}
    figures |= {f"{published.name}: {name}": number for name, number in found.figures.items()}
    # What is judged the same wherever its ends are is not told as open.
    kept = (found.seen_hi >= rules.min_count + rules.width) & ((found.lo == found.seen_lo) | ~_bare(published, asked))
    kept |= (found.seen_lo <= 0) & (found.seen_hi >= max(rules.min_count, rules.width))
    inexact = int((~(found.exact | kept)).sum())
    not_checked = [
        f"{published.name}: group disclosure",
        f"{published.name}: what insiders who know their own record learn of other cells",
    ]
    if inexact:
        not_checked.append(f"{published.name}: {inexact} cells of which an end may be closer still (sound, not exact)")
    return Audit(
        checked=(
            f"intervals of {published.name}: exact over all its sums, by elimination, linear and mixed-integer programmes",
            "every small count: pinned, too narrow, what remains for its insiders",
        ),
        not_checked=tuple(not_checked),
        figures=figures,
    )


def _reason(published: PublishedCells, cell: int, lo: int, hi: int) -> str:
    """Why a cell cannot be less, and cannot be more, from published values and sums."""
    own_lo, own_hi = (int(bound[cell]) for bound in published.bounds())
    least = _equation(published, cell, lo, up=False) if lo > own_lo else ""
    most = _equation(published, cell, hi, up=True) if hi < own_hi else ""
    if not least and not most:
        return f"{published.shown(cell)} {between(own_lo, own_hi)}"
    if least == most:
        return least
    parts = (("it cannot be less, for ", least), ("it cannot be more, for ", most))
    return "; ".join(why + told for why, told in parts if told)


def _equation(published: PublishedCells, cell: int, end: int, *, up: bool) -> str:
    """The sums that bound a cell on one side, added up: the cell as sums and differences of others."""
    lo, hi = published.bounds()
    wanted = np.arange(len(lo)) == cell
    (whole,) = find_blocks(published.equations, lo, hi, wanted)
    sign = -1.0 if up else 1.0
    for block in _around(whole, int(np.flatnonzero(whole.cells == cell)[0])):
        solution = _least(block, np.where(block.cells == cell, sign, 0.0), lo, hi)
        told = solution.optimal and abs(sign * solution.objective - end) < NOISE * max(1, abs(end))
        if told:
            break
    if not solution.optimal:
        return "whole numbers leave no more" if block is whole else "all sums together leave no more"
    # Multipliers of sums: cell = cell - Σ multiplier × sum, in which cells that cancel are gone.
    chosen = published.equations.chosen(block.equations)
    terms = np.zeros(len(lo))
    np.add.at(terms, chosen.cells, -sign * solution.duals[chosen.rows] * chosen.signs)
    terms[cell] += 1.0
    used = int((np.abs(solution.duals) > NOISE).sum())
    rest = (
        ""
        if told
        else ", and whole numbers leave no more"
        if block is whole
        else ", and all sums together leave no more"
    )
    return f"{'a sum makes' if used == 1 else f'{used} sums added up make'} it {_spelt(published, terms)}{rest}"


def _around(whole: Block, middle: int) -> Iterator[Block]:
    """A block or, of a large one, larger and larger parts around one of its cells, the whole where it is not too large."""
    ground = Ground(whole)
    for size in AROUND:
        if len(whole.cells) > size:
            yield ground.within(np.sort(ground.near(middle, size)))
    if len(whole.cells) <= MOST_AROUND:
        yield whole


def _least(block: Block, costs: np.ndarray, lo: np.ndarray, hi: np.ndarray) -> Solution:
    """The linear programme over the tables of a block; `lo` and `hi` are of the whole system."""
    rows, right = Rows(), block.right.astype(float)
    rows.add_many(block.starts, block.columns, block.signs.astype(float), right, right)
    upper = np.where(hi[block.cells] >= NO_BOUND, np.inf, hi[block.cells])
    return Programme(costs, lower=lo[block.cells].astype(float), upper=upper, rows=rows).solve()


def _spelt(published: PublishedCells, terms: np.ndarray) -> str:
    """Cells with what is known of each, as a sum; the largest part of it where it is long."""
    lo, hi = published.bounds()
    cells = np.flatnonzero(np.abs(terms) > NOISE)
    cells = cells[(terms[cells] != 0) & ((lo[cells] > 0) | (hi[cells] > 0))]
    # What is added stands before what is taken away.
    cells = cells[np.argsort(terms[cells] < 0, kind="stable")]
    spelt = []
    for cell in cells[:TERMS].tolist():
        times = abs(terms[cell])
        factor = "" if abs(times - 1) < NOISE else f"{times:g} × "
        known = str(int(lo[cell])) if lo[cell] == hi[cell] else between(int(lo[cell]), int(hi[cell]))
        spelt.append(f"{'-' if terms[cell] < 0 else '+'} {factor}{published.names[cell]} ({known})")
    if len(cells) > TERMS:
        spelt.append(f"and {len(cells) - TERMS} more cells")
    return " ".join(spelt).removeprefix("+ ") or "0"
