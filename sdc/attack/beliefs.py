"""The attacker's firmest beliefs about a table, as figures of an audit."""

import numpy as np

from sdc.attack.posterior import Belief, table_beliefs
from sdc.findings import Audit
from sdc.tables import TOTAL, SafeTable
from sdc.theory import has_theory

__all__ = ["belief_figures"]


def belief_figures(name: str, safe: SafeTable, *, min_count: int) -> Audit:
    """The attacker's firmest beliefs, with the prior they rest on.

    Nothing is said of suppression, whose shown values are the counts, nor of cell
    keys, whose beliefs need the ptable (`sdc.attack.noise`); of methods whose chances
    are not known for a single cell, that they were not looked at.
    """
    if safe.method.name in ("suppression", "cell-key"):
        return Audit()
    if not has_theory(safe.method):
        return Audit(not_checked=(f"{name}: what is believed of a cell, as its chances depend on the whole table",))
    small: dict[str, object] = {"probability": 0.0}
    value: dict[str, object] = {"probability": 0.0}
    for belief in table_beliefs(safe, min_count=min_count):
        firmest = int(belief.small.argmax())
        small = max(small, _told(safe, belief, firmest, belief.small), key=_probability)
        firmest = int(np.where(belief.likeliest > 0, belief.certainty, 0).argmax())
        if belief.likeliest[firmest] > 0:
            value = max(value, _told(safe, belief, firmest, belief.certainty), key=_probability)
    figures: dict[str, object] = {
        f"{name}: greatest belief that a count is small": small,
        f"{name}: greatest belief in one value above 0": value,
    }
    return Audit(figures=figures, checked=("posterior of each shown value under a prior fitted to published values",))


def _told(safe: SafeTable, belief: Belief, at: int, probabilities: np.ndarray) -> dict[str, object]:
    category = ", ".join(safe.classification.columns[belief.column]) or TOTAL
    return {
        "probability": float(probabilities[at]),
        "level": safe.hierarchy.levels[belief.level],
        "category": category,
        "shown": int(belief.shown[at]),
        "cells": int(belief.cells[at]),
        "likeliest": int(belief.likeliest[at]),
        "prior": str(belief.prior),
    }


def _probability(told: dict[str, object]) -> float:
    return float(str(told["probability"]))
