"""The attack on bounded noise by somebody who knows the ptable and not the keys.

A figure by itself leaves an interval (`sdc.attack.noisebounds`).  Figures do not
add up, true counts do: sums narrow the intervals (`sdc.attack.propagation`;
`sdc.attack.judge.audit_tables` with `known` set to `noise_intervals` gives exact
ones).  Small D leaves cells of which nothing is unknown any more; such a ptable is
refused for the table (`refuse_ptable`).

What is proven is no more than that: what is believed stands in `sdc.attack.noisebeliefs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from common.faults import Disclosure
from sdc.attack.intervals import NO_BOUND, Intervals
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.noisebeliefs import certainty_audit
from sdc.attack.noisebounds import noise_intervals, ptable_findings
from sdc.attack.propagation import Contradiction, propagate
from sdc.attack.witness import Names, between, clash_sentence
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.findings import Audit, Finding
from sdc.tables import STRUCTURAL, SafeTable

__all__ = ["MAX_CERTAINTY", "SUMS_LEFT_OUT", "NoiseAttack", "attack_noise", "audit_noise", "refuse_ptable"]

MAX_CERTAINTY = 0.9
# What `sdc.attack.averagedbeliefs` looks at where tables are attacked together.
SUMS_LEFT_OUT = "noise: how sums and other tables add to belief (the posterior judges each figure by itself)"

Masks = tuple[np.ndarray, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class NoiseAttack:
    """What sums prove of a noisy table.

    Attributes
    ----------
    own, bounds : intervals of each cell by itself, and as its sums narrow them.
    exact : per level (bool), cells above 0 of which nothing is unknown any more, and was before.
    exact_zeros : the same for zeros that are not structural.
    pinned : cells proven small: nothing but 1 … min_count - 1 is possible.
    clash : the sum that no true table meets; then nothing else is said.
    """

    own: Intervals
    bounds: Intervals
    exact: Masks
    exact_zeros: Masks
    pinned: Masks
    clash: Contradiction | None = None

    @property
    def figures(self) -> dict[str, int]:
        """How many cells are exact, exact zeros, pinned, and narrowed at all."""
        own, bounds = self.own, self.bounds
        pairs = zip(own.lo, own.hi, bounds.lo, bounds.hi, strict=True)
        narrowed = sum(((lo < new_lo) | (hi > new_hi)).sum() for lo, hi, new_lo, new_hi in pairs)
        return {
            "exact cells": _number(self.exact),
            "exact zeros": _number(self.exact_zeros),
            "pinned small cells": _number(self.pinned),
            "cells narrowed by other cells": int(narrowed),
        }


def attack_noise(
    safe: SafeTable,
    ptable: PTable | KeyTable,
    *,
    min_count: int,
    threshold: int = 0,
    known: Intervals | None = None,
) -> NoiseAttack:
    """Propagate what the ptable leaves through every sum of area tree × classification.

    Sound, and exact on a single tree; work is proportional to cells for each sweep.
    `known` is what else the attacker has.
    """
    own = noise_intervals(safe, ptable, threshold=threshold)
    if known is not None:
        own = own.intersected(known)
    nothing = tuple(np.zeros(values.shape, np.bool_) for values in safe.values)
    empty = own.empty()
    if any(each.any() for each in empty):
        clash = _first_empty(own, empty)
        return NoiseAttack(own=own, bounds=own, exact=nothing, exact_zeros=nothing, pinned=nothing, clash=clash)
    found = propagate(safe.hierarchy, own)
    bounds = found.intervals
    if found.contradiction is not None:
        clash = found.contradiction
        return NoiseAttack(own=own, bounds=bounds, exact=nothing, exact_zeros=nothing, pinned=nothing, clash=clash)
    given = nothing if known is None else tuple(lo == hi for lo, hi in zip(known.lo, known.hi, strict=True))
    sure = [(lo == hi) & ~old for lo, hi, old in zip(bounds.lo, bounds.hi, given, strict=True)]
    return NoiseAttack(
        own=own,
        bounds=bounds,
        exact=tuple(exact & (lo > 0) for exact, lo in zip(sure, bounds.lo, strict=True)),
        exact_zeros=tuple(
            exact & (lo == 0) & (markers != STRUCTURAL)
            for exact, lo, markers in zip(sure, bounds.lo, safe.markers, strict=True)
        ),
        pinned=tuple((lo >= 1) & (hi < min_count) for lo, hi in zip(bounds.lo, bounds.hi, strict=True)),
    )


def audit_noise(
    tables: Mapping[str, SafeTable],
    ptable: PTable | KeyTable,
    *,
    min_count: int,
    threshold: int = 0,
    max_certainty: float = MAX_CERTAINTY,
    known: Mapping[str, Intervals] | None = None,
) -> Audit:
    """What the ptable leaves of each table: cells known exactly, small counts pinned, values that are all but certain.

    Raises
    ------
    ValueError
        `max_certainty` is not above 0 and at most 1.
    """
    audit = Audit(findings=ptable_findings(ptable, min_count=min_count, threshold=threshold))
    for name, safe in tables.items():
        more = (known or {}).get(name)
        found = attack_noise(safe, ptable, min_count=min_count, threshold=threshold, known=more)
        audit = audit.joined(_told(name, safe, found))
        audit = audit.joined(certainty_audit(name, safe, ptable, min_count=min_count, max_certainty=max_certainty))
    return audit.joined(
        Audit(
            checked=("noise with its bound and its ptable known, by sums of areas and of categories",),
            not_checked=(
                SUMS_LEFT_OUT,
                "noise: averaging over further tables of the same people that somebody may ask for",
            ),
        )
    )


def refuse_ptable(
    tables: Mapping[str, SafeTable],
    ptable: PTable | KeyTable,
    *,
    min_count: int,
    threshold: int = 0,
    max_certainty: float = MAX_CERTAINTY,
    known: Mapping[str, Intervals] | None = None,
) -> Audit:
    """The audit of `audit_noise` where the ptable holds for the tables.

    Raises
    ------
    Disclosure
        It does not; carries the findings.
    """
    audit = audit_noise(
        tables, ptable, min_count=min_count, threshold=threshold, max_certainty=max_certainty, known=known
    )
    if not audit.safe:
        raise Disclosure(
            f"the ptable is refused: with its largest noise, {ptable.bound}, known, figures can be worked out; "
            "take a larger D, or a smaller V against the same D, so that the largest noises are rarer",
            audit.findings,
        )
    return audit


def _told(name: str, safe: SafeTable, found: NoiseAttack) -> Audit:
    names = Names(safe)
    if found.clash is not None:
        clash = found.clash
        cell = names.name_at(clash.level, clash.unit, clash.column)
        text = clash_sentence(names, clash)
        wrong = Finding(kind="contradiction", severity="contradiction", table=name, cell=cell, witness=text)
        return Audit(findings=(wrong,), not_checked=(f"{name}: the published values contradict themselves",))

    def tell(place: tuple[int, int, int]) -> Finding:
        level, unit, column = place
        own = (int(found.own.lo[level][unit, column]), int(found.own.hi[level][unit, column]))
        interval = (int(found.bounds.lo[level][unit, column]), int(found.bounds.hi[level][unit, column]))
        text = (
            f"{names.shown_at(*place)}, which alone leaves {between(*own)}; with the sums it stands in it is "
            f"{between(*interval)}"
        )
        return _finding(
            "exact" if interval[0] == interval[1] else "pinned", name, names.name_at(*place), text, interval
        )

    audit = Audit(figures={f"{name}: noise, {what}": number for what, number in found.figures.items()})
    exact = tuple(above | zeros for above, zeros in zip(found.exact, found.exact_zeros, strict=True))
    small = tuple(pinned & ~sure for pinned, sure in zip(found.pinned, exact, strict=True))
    for kind, masks in (("exact", exact), ("pinned", small)):
        audit = audit.joined(listed(name, f"noise, {kind}", _places(masks), tell, _number(masks)))
    return audit


def _places(masks: Masks) -> list[tuple[int, int, int]]:
    return [
        (level, int(unit), int(column))
        for level, mask in enumerate(masks)
        for unit, column in np.argwhere(mask)[:MOST_LISTED]
    ]


def _number(masks: Masks) -> int:
    return int(sum(mask.sum() for mask in masks))


def _first_empty(own: Intervals, empty: Masks) -> Contradiction:
    """A cell of which nothing is possible, told as a sum of one part."""
    level = next(level for level, each in enumerate(empty) if each.any())
    unit, column = (int(index) for index in np.argwhere(empty[level])[0])
    pair = (int(own.lo[level][unit, column]), int(own.hi[level][unit, column]))
    return Contradiction(level=level, unit=unit, column=column, over="tables", whole=pair, parts=pair)


def _finding(kind: str, table: str, cell: str, text: str, interval: tuple[int, int]) -> Finding:
    lo, hi = interval
    told = (lo, None if hi >= NO_BOUND else hi)
    return Finding(kind=kind, severity="disclosure", table=table, cell=cell, witness=text, interval=told)
