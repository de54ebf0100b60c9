"""One way of protecting a table, tried, attacked and measured; of its table nothing is kept but the measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.progress import SILENT, Progress
from releases.attack.published import Published
from releases.compare.variants import Variant
from releases.files.keyfiles import find_key
from releases.protect.asked import Asked, Protected
from releases.protect.audited import Beside, audit_protected, known_besides
from releases.protect.methods import protect_by
from reports.comparison import MARGIN, MIDPOINT, SHOWN, Compared, WorkedArea
from reports.metadata import public_method
from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.propagation import propagate
from sdc.findings import Audit
from sdc.promises import strongest_promise
from sdc.tables import MARKERS, TOTAL, SafeTable, Table
from sdc.utility.gaps import shown_cells
from sdc.utility.imputation import margin_shares, midpoints
from sdc.utility.rows import utility
from sdc.utility.sizes import change_sizes

__all__ = [
    "Named",
    "Trial",
    "choose_area",
    "count_findings",
    "try_variant",
    "without_key",
    "worked_area",
    "worked_cells",
    "worked_texts",
]

# More columns than these of one area are no longer read side by side.
MOST_COLUMNS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """What every method is tried on.

    Attributes
    ----------
    name : what the table is called in reports.
    keys : sums of record keys by finest cell; None where there are none.
    beside : what readers have besides the table.
    area : the smallest area that is shown in full.
    """

    table: Table
    name: str
    beside: Beside
    key_file: Path | None = None
    keys: np.ndarray | None = None
    sensitive: tuple[str, ...] = ()
    area: int = 0

    def asked(self, variant: Variant, progress: Progress, *, known: Intervals | None = None) -> Asked:
        """What a method works on; `known` are bounds that a reader of a network has besides."""
        return Asked(
            table=self.table,
            settings=variant.settings,
            options=variant.options,
            bands=variant.bands,
            name=self.name,
            key_file=self.key_file,
            keys=self.keys,
            sensitive=self.sensitive,
            known=known,
            alone=not self.beside.names,
            progress=progress,
        )


def try_variant(trial: Trial, variant: Variant, *, progress: Progress = SILENT) -> Compared:
    """Protect the table, attack it with all that a reader has, and measure what it cost.

    Raises
    ------
    InputError
        No key is there, or an option lies outside its range.
    Infeasible
        The method has no solution for this table.
    """
    named = Named(progress, variant.name)
    beside = trial.beside
    protected = protect_by(trial.asked(variant, named, known=beside.known(trial.table)))
    named.step("attacking")
    audit = audit_protected(
        protected,
        trial.table,
        beside,
        min_count=variant.settings.min_count,
        sensitive=trial.sensitive,
        progress=named,
    )
    named.step("measuring utility")
    return _measured(trial, variant, protected, audit)


def _measured(trial: Trial, variant: Variant, protected: Protected, audit: Audit) -> Compared:
    safe = protected.safe
    intervals = _proven(protected, trial.beside.public)
    measures = {SHOWN: utility(trial.table, safe)}
    if not all(shown.all() for shown in shown_cells(safe)):
        measures[MIDPOINT] = utility(trial.table, safe, guessed=midpoints(safe, intervals))
        measures[MARGIN] = utility(trial.table, safe, guessed=margin_shares(safe))
    return Compared(
        name=variant.name,
        parameters=public_method(safe.method),
        promise=strongest_promise(variant.settings, variant.bands),
        audit=audit,
        findings=count_findings(audit),
        utility=measures,
        sizes=change_sizes(trial.table, safe),
        worked=_worked_row(safe, intervals, trial.area),
        notices=without_key(protected.notices, trial.key_file),
    )


def _proven(protected: Protected, public: Sequence[Published]) -> Intervals:
    """What a reader can prove of each cell: as the method has worked it out, else by propagation."""
    safe, known = protected.safe, known_besides(protected, public)
    own = stated_intervals(safe) if known is None else stated_intervals(safe).intersected(known)
    bounds = own if any(part.any() for part in own.empty()) else propagate(safe.hierarchy, own).intervals
    return bounds if protected.intervals is None else bounds.intersected(protected.intervals)


def count_findings(audit: Audit) -> int:
    """How many findings make a table unsafe, those beyond the ones listed of a kind included."""
    unsafe = [finding for finding in audit.findings if finding.severity in ("disclosure", "contradiction")]
    kinds = dict.fromkeys((finding.table, finding.kind) for finding in unsafe)
    more = (audit.figures.get(f"{table}: {kind}, not listed", 0) for table, kind in kinds)
    return len(unsafe) + sum(number for number in more if isinstance(number, int))


def without_key(notices: Sequence[str], key_file: Path | None) -> tuple[str, ...]:
    """Notices but for the one that names the key's file, which is not the table's."""
    _, whence = find_key(key_file)
    return tuple(notice for notice in notices if str(whence) not in notice)


# --- One area in full -----------------------------------------------------------------------------


def choose_area(table: Table, min_count: int) -> int:
    """Of the smallest areas with a small count, 1 <= x <= min_count - 1, the one whose total is nearest to the median
    total of those that have any count; the first by code where several are, any area with a count where none is small."""
    finest = table.counts[0]
    totals = finest[:, -1]
    filled = np.flatnonzero(totals)
    if not len(filled):
        return 0
    middle = np.sort(totals[filled])[(len(filled) - 1) // 2]
    inner = finest[:, :-1] if finest.shape[1] > 1 else finest
    small = np.flatnonzero(((inner >= 1) & (inner < min_count)).any(axis=1))
    among = small if len(small) else filled
    return int(among[np.argmin(np.abs(totals[among] - middle))])


def worked_area(table: Table, unit: int) -> WorkedArea:
    """What the page says of an area: its true row, the total last."""
    names = [" / ".join(category) for category in table.classification.columns]
    code = str(table.hierarchy.codes[0][unit])
    return worked_cells(table.hierarchy.levels[0], code, [*names[:-1], TOTAL], table.counts[0][unit])


def worked_cells(level: str, code: str, names: Sequence[str], true: np.ndarray) -> WorkedArea:
    """An area of many cells, the total last: the first of them, and the total."""
    columns = _columns(len(names))
    return WorkedArea(
        level=level,
        code=code,
        columns=tuple(names[at] for at in columns),
        true=tuple(true[columns].tolist()),
        left_out=len(names) - len(columns),
    )


def _columns(number: int) -> list[int]:
    """The columns told of one area: the first categories, and the total."""
    return [*range(min(number - 1, MOST_COLUMNS)), number - 1]


def _worked_row(safe: SafeTable, intervals: Intervals, unit: int) -> tuple[str, ...]:
    return worked_texts(
        safe.values[0][unit],
        safe.markers[0][unit],
        shown_cells(safe)[0][unit],
        intervals.lo[0][unit],
        intervals.hi[0][unit],
    )


def worked_texts(
    values: np.ndarray, markers: np.ndarray, shown: np.ndarray, lo: np.ndarray, hi: np.ndarray
) -> tuple[str, ...]:
    """What is published of one area's cells, as `worked_cells` lists them; of hidden ones the interval that can be proven."""
    row = []
    for at in _columns(len(shown)):
        if shown[at]:
            row.append(f"{int(values[at]):,}")
            continue
        marker = MARKERS.get(int(markers[at]), "x")
        row.append(f"[{marker}] {lo[at]:,} or more" if hi[at] >= NO_BOUND else f"[{marker}] {lo[at]:,} to {hi[at]:,}")
    return tuple(row)


class Named:
    """Progress that says of which method each step is."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress, self._name = progress, name

    def step(self, name: str, total: int | None = None) -> None:
        """A step of the method begins."""
        self._progress.step(f"{self._name}: {name}", total)

    def advance(self, parts: int = 1) -> None:
        """Parts of the present step are done."""
        self._progress.advance(parts)
