"""The cell key method on a table: every cell takes the noise of its true count and its cell key.

    published = x + noise(pcv(x), cell key)

Deterministic: the same records and ptable give the same figure in any table, any
run and any order.  Zeros stay zeros, structural or not; no figure falls below 0.
Cells are perturbed one by one, so that what is published does not add up.
"""

from dataclasses import asdict, dataclass

import numpy as np

from common.faults import Infeasible
from common.progress import SILENT, Progress
from sdc.attack.noisebounds import ptable_findings
from sdc.cellkey.keys import DEFAULT_RANGE, check_range, figure_keys
from sdc.cellkey.ptable import KeyTable, PTable, in_keys, noise_of
from sdc.tables import SHOWN, STRUCTURAL, SUPPRESSED, Method, SafeTable, Table

__all__ = ["CELL_KEY", "CellKey", "CellKeyReport", "LevelNoise", "perturb", "protect_by_cell_key"]

CELL_KEY = "cell-key"
NO_RECORD_KEYS = (
    "cell keys were drawn from the table's own figures, for want of sums of record keys (column ckey): "
    "the same people in another table may have other noise, which tells more of both"
)

Masks = tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True)
class CellKey:
    """What is asked of the cell key method.

    Attributes
    ----------
    ptable : in either form; a `PTable` is looked up by keys 0 … M - 1.
    key_range : M of record and cell keys.
    min_count : smallest non-zero count that may be told; a true count x is small where 1 <= x <= min_count - 1.
    threshold : figures below it after noise are not told, zeros included (ONS: 10); 0 tells all.

    Raises
    ------
    ValueError
        A number is out of range, or the ptable is for other keys.
    Infeasible
        A published value by itself would prove a small count to somebody who knows the ptable but not the keys.
    """

    ptable: PTable | KeyTable
    key_range: int = DEFAULT_RANGE
    min_count: int = 5
    threshold: int = 0

    def __post_init__(self) -> None:
        check_range(self.key_range)
        if self.threshold < 0:
            raise ValueError(f"threshold ({self.threshold}) must be at least 0")
        if isinstance(self.ptable, KeyTable) and self.ptable.key_range != self.key_range:
            raise ValueError(f"key_range ({self.key_range}) must be the ptable's ({self.ptable.key_range})")
        found = ptable_findings(self.in_keys(), min_count=self.min_count, threshold=self.threshold)
        if found:
            raise Infeasible(
                f"the ptable gives small counts away to anybody who knows it: {found[0].witness}; "
                f"take a larger D (min_count {self.min_count} needs {self.min_count - 1} at least) or block small counts",
                demands=(f"ptable with D = {self.ptable.bound}", f"min_count = {self.min_count}"),
            )

    def in_keys(self) -> KeyTable:
        """The ptable as it is looked up."""
        return self.ptable if isinstance(self.ptable, KeyTable) else in_keys(self.ptable, self.key_range)


@dataclass(frozen=True, kw_only=True)
class LevelNoise:
    """What the noise did at one level: for the reviewer, never for the public.

    `changed` counts cells whose figure is not the true count, `hidden` those
    below the threshold, `kept_zeros` true zeros; `mean` and `mean_square` are of
    the noise over the cells that are not zero, 0 where there is none.
    """

    level: str
    cells: int
    kept_zeros: int
    changed: int
    hidden: int
    largest: int
    mean: float
    mean_square: float


@dataclass(frozen=True, kw_only=True)
class CellKeyReport:
    """How it went: for the reviewer, never for the public; it tells D.

    `keys_from` is ``record keys`` or ``figures``; `notices` are for the person who protects the table.
    """

    keys_from: str
    bound: int
    levels: tuple[LevelNoise, ...]
    notices: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The report as plain data."""
        return asdict(self)


def protect_by_cell_key(
    table: Table,
    *,
    spec: CellKey,
    key: bytes,
    record_keys: Masks | None = None,
    structural: Masks | None = None,
    progress: Progress = SILENT,
) -> tuple[SafeTable, CellKeyReport]:
    """Protect a table by the cell key method.

    Parameters
    ----------
    key : draws cell keys from figures where there are no record keys; not used otherwise.
    record_keys : cell keys per level (`sdc.cellkey.keys.key_sums`).
    structural : per level, bool of shape (units, columns): cells that cannot hold anybody.

    Raises
    ------
    ValueError
        Keys are missing or out of range, or a structural zero counts somebody.
    """
    progress.step("perturbing cells")
    keys = figure_keys(table, key, key_range=spec.key_range) if record_keys is None else record_keys
    safe, levels = perturb(
        table,
        ptable=spec.in_keys(),
        keys=keys,
        min_count=spec.min_count,
        threshold=spec.threshold,
        structural=structural,
    )
    report = CellKeyReport(
        keys_from="figures" if record_keys is None else "record keys",
        bound=spec.ptable.bound,
        levels=levels,
        notices=(NO_RECORD_KEYS,) if record_keys is None else (),
    )
    return safe, report


def perturb(
    table: Table,
    *,
    ptable: PTable | KeyTable,
    keys: Masks,
    min_count: int = 5,
    threshold: int = 0,
    structural: Masks | None = None,
) -> tuple[SafeTable, tuple[LevelNoise, ...]]:
    """Add to every cell the noise of its count and key, as `noise_of` looks it up.

    Parameters
    ----------
    keys : cell keys per level, of the shapes of the counts: whole numbers for a
        `KeyTable`, numbers in [0, 1) for a `PTable`.

    Returns
    -------
    The safe table, which tells neither D nor the ptable, and what the noise did per level.

    Raises
    ------
    ValueError
        Keys or structural zeros do not fit the table.
    """
    if len(keys) != len(table.counts):
        raise ValueError("keys must be given for every level")
    blank = tuple(np.zeros(counts.shape, np.bool_) for counts in table.counts)
    fixed = blank if structural is None else structural
    values, markers, told = [], [], []
    for name, counts, drawn, empty in zip(table.hierarchy.levels, table.counts, keys, fixed, strict=True):
        if empty.shape != counts.shape or counts[empty].any():
            raise ValueError(f"structural zeros of level ({name}) must be cells of the table that count nobody")
        noise = noise_of(ptable, counts, drawn)
        shown = counts + noise
        hidden = (shown < threshold) & ~empty
        values.append(np.where(hidden | empty, 0, shown))
        markers.append(np.where(empty, STRUCTURAL, np.where(hidden, SUPPRESSED, SHOWN)).astype(np.int8))
        told.append(_level_noise(name, counts, noise, hidden))
    safe = SafeTable(
        hierarchy=table.hierarchy,
        classification=table.classification,
        values=tuple(values),
        markers=tuple(markers),
        method=Method(name=CELL_KEY, base=1, min_count=min_count),
    )
    return safe, tuple(told)


def _level_noise(name: str, counts: np.ndarray, noise: np.ndarray, hidden: np.ndarray) -> LevelNoise:
    counted = counts > 0
    drawn = noise[counted].astype(np.float64)
    return LevelNoise(
        level=name,
        cells=counts.size,
        kept_zeros=int(counts.size - counted.sum()),
        changed=int((noise != 0).sum()),
        hidden=int(hidden.sum()),
        largest=int(np.abs(noise).max(initial=0)),
        mean=float(drawn.mean()) if drawn.size else 0.0,
        mean_square=float((drawn**2).mean()) if drawn.size else 0.0,
    )
