"""What is decided before the search: which cells are hidden in any case and why, and what each asks for."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from common.faults import Infeasible
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.witness import Names, flat_bounds
from sdc.network import flatten, unflatten
from sdc.suppression.arcs import MUST_SHOW
from sdc.suppression.keyed import draw_decoys
from sdc.suppression.report import DECOY, FORCED, PRIMARY, PUBLISHED
from sdc.suppression.secondary import Failure, Search, begin_search
from sdc.suppression.spec import Protection, SuppressionSpec, protection_of
from sdc.tables import Method, SafeTable, Table

__all__ = ["Choices", "Masks", "Plan", "flat_mask"]

Masks = tuple[np.ndarray, ...]

NAMED = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """What is decided cell by cell before the search, bool per level and of the table's shape; None for no cell.

    Attributes
    ----------
    hide : cells hidden in any case, and protected as flagged ones are.
    show : cells that must be shown.
    structural : zeros that can be nothing else: they are shown as structural zeros, and a reader knows them.
    """

    hide: Masks | None = None
    show: Masks | None = None
    structural: Masks | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What was asked of one table.

    Attributes
    ----------
    primary : flagged cells, bool per level.
    protection : how far intervals of flagged cells must reach; None for `protection_of`.
    known : bounds that a reader has from elsewhere; None for none.
    """

    table: Table
    spec: SuppressionSpec
    key: bytes
    primary: Masks
    protection: Protection | None = None
    choices: Choices | None = None
    known: Intervals | None = None

    def __post_init__(self) -> None:
        self.spec.check_names(self.table)
        object.__setattr__(self, "choices", self.choices or Choices())
        object.__setattr__(self, "protection", self.protection or protection_of(self.table, self.spec.min_count))
        if self.known is not None:
            lower, upper = flat_bounds(self.known)
            if np.any((flatten(self.table.counts) < lower) | (flatten(self.table.counts) > upper)):
                raise ValueError("every count must lie within what is known of it")
        structural = flat_mask(self.table, self.chosen.structural)
        if np.any(flatten(self.table.counts)[structural] != 0):
            raise ValueError("structural zeros must hold 0")

    @property
    def chosen(self) -> Choices:
        """The choices made, none of them if need be."""
        return self.choices or Choices()

    def shown(self) -> np.ndarray:
        """Cells that may not be hidden because of a choice: bool of shape (cells,)."""
        return flat_mask(self.table, self.chosen.show) | flat_mask(self.table, self.chosen.structural)

    def begin(self, shown: np.ndarray) -> Search:
        """A search in which `shown` (bool per cell) stay shown."""
        lower, upper = (0, NO_BOUND) if self.known is None else flat_bounds(self.known)
        return begin_search(self.table, self.spec, self.key, lower=lower, upper=upper, shown=shown)

    def statuses(self, search: Search) -> np.ndarray:
        """Why cells are hidden before the search: int8 of shape (cells,), see `sdc.suppression.report`.

        Raises
        ------
        Infeasible
            A cell that must be hidden must also be shown.
        """
        primary = flat_mask(self.table, self.primary)
        status = np.full(len(primary), PUBLISHED, np.int8)
        may = search.price < MUST_SHOW
        status[draw_decoys(search.counts, self.spec, search.words) & may] = DECOY
        status[flat_mask(self.table, self.chosen.hide)] = FORCED
        status[primary] = PRIMARY
        # Zeros that a rule flags may be hidden even where other zeros may not.
        clash = np.flatnonzero((status > PUBLISHED) & (self.shown() | self._forbidden()))
        if len(clash):
            raise Infeasible(
                f"must be hidden and must be shown: {self.named(clash)}",
                demands=("flagged cells", "cells that must be shown"),
            )
        return status

    def asked_of(self, status: np.ndarray) -> Protection:
        """How far the interval of each cell of these statuses must reach; a decoy's only as if it were not quite small."""
        assert self.protection is not None
        least, counts = self.spec.min_count, flatten(self.table.counts)
        decoy = status == DECOY
        upper = np.where(decoy, np.maximum(least - counts, 0), flatten(self.protection.upper))
        lower = np.where(decoy, np.minimum(counts, least), flatten(self.protection.lower))
        return Protection(lower=self.per_level(lower), upper=self.per_level(upper))

    def per_level(self, flat: np.ndarray) -> Masks:
        """An array in network order as arrays per level."""
        return unflatten(flat, self.table.hierarchy, self.table.counts[0].shape[1])

    def refuse(self, failure: Failure) -> NoReturn:
        """Say which cells cannot be protected, and what could be asked instead (raises Infeasible)."""
        if len(failure.unmet):
            what, cells, demand = "cannot be protected", failure.unmet, "protection of flagged cells"
        elif len(failure.learned):
            what, cells, demand = "would be learned by a lone claimant", failure.learned, "lone claimants"
        else:
            what, cells, demand = "would look small and narrow", failure.narrow, "width of what looks small"
        raise Infeasible(
            f"{what}, whatever else is hidden: {self.named(cells)}; leave out level "
            f"{self.table.hierarchy.levels[0]}, merge categories, or let more be hidden",
            demands=(demand, "cells that must be shown"),
        )

    def named(self, cells: np.ndarray) -> str:
        """What some cells are called."""
        names = Names(
            SafeTable(
                hierarchy=self.table.hierarchy,
                classification=self.table.classification,
                values=self.table.counts,
                method=Method(name="suppression", base=1),
            )
        )
        more = f" and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
        return "; ".join(names.name(int(cell)) for cell in cells[:NAMED]) + more

    def _forbidden(self) -> np.ndarray:
        """Cells of levels and totals that the spec wants shown."""
        masks = [np.zeros(counts.shape, np.bool_) for counts in self.table.counts]
        for level, name in enumerate(self.table.hierarchy.levels):
            masks[level][:] = name in self.spec.show_levels
            masks[level][:, -1] |= name in self.spec.show_totals
        return flatten(tuple(masks))


def flat_mask(table: Table, masks: Masks | None) -> np.ndarray:
    """Masks per level as one bool array in network order; all False for None.

    Raises
    ------
    ValueError
        They have not the shapes of the table, or are not bool.
    """
    if masks is None:
        return np.zeros(sum(counts.size for counts in table.counts), np.bool_)
    if [mask.shape for mask in masks] != [counts.shape for counts in table.counts]:
        raise ValueError("masks must have the shapes of the table's counts, one per level")
    if any(mask.dtype != np.bool_ for mask in masks):
        raise ValueError("masks must be bool")
    return flatten(masks)
