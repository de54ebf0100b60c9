"""The cell key method that ``protect`` offers."""

from releases.protect.asked import Asked, Protected, valid, with_key
from releases.rules.ptables import read_ptable
from sdc.attack.intervals import Intervals
from sdc.attack.noise import audit_noise
from sdc.attack.noisebounds import noise_intervals
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.keys import key_sums
from sdc.cellkey.perturb import CellKey, protect_by_cell_key
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.findings import Audit

__all__ = ["cell_key"]


def cell_key(asked: Asked) -> Protected:
    """Noise drawn by the sum of record keys, else by the cell's identity."""
    settings, key_range = asked.settings, asked.options.keys_below
    ptable, notices = _ptable(asked)
    spec = valid(lambda: CellKey(ptable=ptable, key_range=key_range, min_count=settings.min_count), "--key-range")
    key, drawn = (b"", "") if asked.keys is not None else with_key(asked)
    hierarchy, classification = asked.table.hierarchy, asked.table.classification
    record_keys = None
    if asked.keys is not None:
        with_total = bool(len(classification))
        record_keys = key_sums(hierarchy, asked.keys, key_range=key_range, with_total=with_total)
    safe, report = protect_by_cell_key(
        asked.table, spec=spec, key=key, record_keys=record_keys, progress=asked.progress
    )

    def attack(known: Intervals | None) -> Audit:
        bounds = {} if known is None else {asked.name: known}
        return audit_noise({asked.name: safe}, spec.in_keys(), min_count=settings.min_count, known=bounds)

    return Protected(
        safe=safe,
        report=report.as_dict(),
        told=noise_intervals(safe, spec.in_keys()),
        attack=attack,
        notices=(*((drawn,) if drawn else ()), *notices, *report.notices),
    )


def _ptable(asked: Asked) -> tuple[PTable | KeyTable, tuple[str, ...]]:
    """The ptable of the file given, else one designed from the settings, and what the designer has to say."""
    if asked.options.ptable is not None:
        return read_ptable(asked.options.ptable, key_range=asked.options.keys_below), ()
    settings = asked.settings
    spec = valid(
        lambda: PTableSpec(
            bound=settings.max_noise or PTableSpec.bound,
            blocked=settings.min_count - 1 if settings.never_shown is None else settings.never_shown,
            variance=settings.variance,
            stay=settings.stay or 0.0,
        ),
        "--noise-bound",
    )
    designed = design_ptable(spec)
    return designed.ptable, designed.notices
