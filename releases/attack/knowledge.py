"""What an attacker knows of published tables besides their figures: signs, rules, ptables, and who stands in them.

Signs are read from the files once more; everything else stands under ``--known`` or in metadata.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from common.faults import Faults
from releases.attack.attacking import known_from_others
from releases.attack.axisplaces import bounds_of_cells, place_of
from releases.attack.known import Insider as KnownInsider
from releases.attack.markersigns import read_signs
from releases.attack.pieces import Read
from releases.attack.said import Said
from releases.rules.ptables import read_ptable
from sdc.attack.averaging import MAX_CERTAINTY
from sdc.attack.backwards import MINIMUM_DISTANCE, SMALL_COUNTS_BY_RULE, SMALLEST_SECONDARY, Ruled
from sdc.attack.intervals import NO_BOUND, Intervals, stated_intervals
from sdc.attack.markers import Signs, telling_bounds
from sdc.attack.onesign import Silent
from sdc.attack.people import Insider
from sdc.attack.pieces import Piece
from sdc.attack.targets import Target
from sdc.findings import Audit
from sdc.tables import SMALL_COUNTS, TOTAL, SafeTable

__all__ = ["certainty_asked", "with_knowledge"]


def certainty_asked(read: Read, asked: float | None) -> float:
    """How firmly one value may be believed: as asked, else the least that a file says, else the default."""
    told = [one.known.max_certainty for one in read.said.values() if one.known.max_certainty is not None]
    return asked if asked is not None else min(told, default=MAX_CERTAINTY)


def with_knowledge(read: Read, targets: Sequence[Target]) -> tuple[tuple[Target, ...], Audit]:
    """Targets with all that is known besides their figures, and what nobody says.

    Raises
    ------
    InputError
        Somebody is said to be where the table has no such place; a ptable cannot be read.
    """
    faults, audit = Faults(), Audit()
    found = []
    for target in targets:
        said = read.said.get(target.piece.name)
        if said is None or target.public or said.known.kind != "counts":
            found.append(target)
            continue
        found.append(_knowing(target, said, read, faults))
        audit = audit.joined(_unsaid(found[-1], said))
    faults.raise_if_any()
    return tuple(found), audit


def _knowing(target: Target, said: Said, read: Read, faults: Faults) -> Target:
    signs, silent = read_signs(said, target.piece), None
    if signs is not None:
        silent = _silent(target, signs, said, known_from_others(read, target.piece), faults)
        lo, hi = telling_bounds(target.piece, signs, min_count=read.min_count)
        if np.any(lo > target.piece.lo) or np.any(hi < target.piece.hi):
            target = _narrowed(target, lo, hi)
        if (
            len(signs.texts) == 1
            and np.array_equal(silent.lo, target.piece.lo)
            and np.array_equal(silent.hi, target.piece.hi)
        ):
            silent = None
    rule = _rule_of(said)
    ptable = said.known.ptable if said.method == "cell-key" else None
    return replace(
        target,
        signs=signs,
        silent=silent,
        ptable=None if ptable is None else read_ptable(ptable),
        ruled=None if rule is None or target.table is None else Ruled(rule=rule, table=target.table),
        insiders=tuple(_placed(one, target.piece, said, faults) for one in said.known.insider),
    )


def _silent(target: Target, signs: Signs, said: Said, others: Intervals | None, faults: Faults) -> Silent:
    """What is known of a table whose signs say no more than that no number is told."""
    piece = target.piece
    lo, hi = piece.lo.ravel().copy(), piece.hi.ravel().copy()
    elsewhere = bounds_of_cells(said, piece.axes, faults)
    lo[signs.places], hi[signs.places] = (array.ravel()[signs.places] for array in elsewhere)
    bare = replace(piece, lo=lo.reshape(piece.lo.shape), hi=hi.reshape(piece.hi.shape))
    if target.table is None:
        return Silent(lo=bare.lo, hi=bare.hi)
    known = _by_level(bare, target.table)
    return Silent(lo=bare.lo, hi=bare.hi, known=known if others is None else known.intersected(others))


def _narrowed(target: Target, lo: np.ndarray, hi: np.ndarray) -> Target:
    """The target with closer bounds, of its piece and of its table."""
    piece, known = replace(target.piece, lo=lo, hi=hi), target.known
    if target.table is not None:
        bounds = _by_level(piece, target.table)
        known = bounds if known is None else known.intersected(bounds)
    return replace(target, piece=piece, known=known)


def _by_level(piece: Piece, table: SafeTable) -> Intervals:
    """What a piece's bounds say of its table beyond values and markers, level by level."""
    columns = table.classification.columns
    spots = [
        np.array([axis.sizes[0] if code[at] == TOTAL else place_of(axis, code[at]) for code in columns])
        for at, axis in enumerate(piece.axes[1:])
    ]
    ends = np.cumsum(table.hierarchy.units)[:-1]
    here: tuple[slice | np.ndarray, ...] = (slice(None), *(spots or [None]))  # type: ignore[list-item]
    whole = [array[here] for array in (piece.lo, piece.hi)]
    lo, hi = (tuple(np.split(array, ends)) for array in whole)
    stated = stated_intervals(table)
    return Intervals(
        lo=tuple(np.where(mine > own, mine, 0) for mine, own in zip(lo, stated.lo, strict=True)),
        hi=tuple(np.where(mine < own, mine, NO_BOUND) for mine, own in zip(hi, stated.hi, strict=True)),
    )


def _rule_of(said: Said) -> str | None:
    """The rule that the file's method chooses by, where all of it is told; None where chance or a key has a part."""
    further = said.told.further if said.told is not None and said.told.method == said.method else {}
    aim, share = (further.get(name, getattr(said.known, name)) for name in ("aim", "share"))
    if said.method == "controlled-rounding" and aim == "minimum-distance":
        return MINIMUM_DISTANCE if not share else None
    if said.method == SMALL_COUNTS and share == 0:
        return SMALL_COUNTS_BY_RULE
    if said.method == "suppression" and said.known.secondary == "smallest":
        return SMALLEST_SECONDARY
    return None


def _unsaid(target: Target, said: Said) -> Audit:
    """What nobody says of a file, and would have to be known for it to be attacked in full."""
    name, unsaid = target.piece.name, []
    if said.method == "cell-key" and said.known.ptable is None:
        what = "how far its noise reaches: say noise or ptable" if said.known.noise is None else "its ptable"
        also = "" if said.known.noise is None else ", so that what is believed of a count was not looked at"
        unsaid.append(f"{name}: nobody says {what} under --known{also}")
    if said.told is None and said.method == SMALL_COUNTS and said.known.share is None:
        unsaid.append(f"{name}: whether its cells were chosen by rule alone: say share under --known")
    if said.told is None and said.method == "suppression" and said.known.secondary is None:
        unsaid.append(
            f"{name}: by which rule secondary cells were chosen: where it is known, say secondary under --known"
        )
    rule = _rule_of(said)
    if rule is not None and target.table is None:
        unsaid.append(f"{name}: what {rule} run backwards proves, of a table with several margins or nests")
    return Audit(not_checked=tuple(unsaid))


def _placed(one: KnownInsider, piece: Piece, said: Said, faults: Faults) -> Insider:
    """Where an insider stands in the piece; a fault where it has no such place."""
    strange = set(one.category) - set(piece.dimensions)
    area = place_of(piece.axes[0], one.area)
    place = (area, *(place_of(axis, one.category.get(axis.name, TOTAL)) for axis in piece.axes[1:]))
    if strange or min(place) < 0:
        what = "an area" if area < 0 else "a category"
        faults.add(
            "insider",
            f"names {what} that the table has not",
            "correct it",
            file=str(said.path),
            key=f"file.insider of {one.area}",
        )
        return Insider(place=(0,) * len(piece.axes))
    return Insider(place=place, number=one.number, alone=one.alone, who=one.name or "")
