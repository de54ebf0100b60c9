"""Markers that give away: what stands instead of a number, where it says more than that no number is told.

A reader of a published table sees which sign stands in each cell.  Signs tell too much where

* one of them stands for primary suppression and another for secondary: the first says
  1 <= x <= min_count - 1, the second that x is 0 or at least min_count;
* in a rounded table nobody is told from rounded to nobody: ``low`` beside 0 says 1 <= x <= a, with a the
  furthest that the method rounds down to 0, and 0 says x = 0; a sign of its own for nobody says 1 <= x <= a of
  every 0 that is left;
* a sign stands for a range such as "fewer than 5", and with the sums leaves one count.

Two signs that nobody explains are a warning: whoever guesses which of them is of small counts knows these.
What the signs say of counts goes into the table's bounds (`telling_bounds`), so that all else that
follows from it is found as with any bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import BEYOND_VALUES, NO_BOUND, reach
from sdc.attack.joint import Joint, join_pieces
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.pieces import Piece
from sdc.attack.witness import between
from sdc.cube import Cube, CubeNames
from sdc.findings import Audit, Finding
from sdc.tables import LOW, SHOWN, SMALL_COUNTS

__all__ = ["KINDS", "Signs", "audit_markers", "furthest", "is_rounded", "telling_bounds"]

# What a sign may be said to stand for; LOW_SIGN is ``low``, whatever it turns out to mean.
PRIMARY, SECONDARY, NOBODY, ROUNDED, RANGE, LOW_SIGN, HIDDEN = KINDS = (
    "primary",
    "secondary",
    "zero",
    "rounded",
    "range",
    "low",
    "hidden",
)
# So many cells of each of two signs, and it is no chance that one is of small counts and the other is not.
NO_CHANCE = 2

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Signs:
    """The signs of a table.

    Attributes
    ----------
    texts, kinds : what each looks like, and what it stands for, one of `KINDS`.
    shape : of the table's piece.
    places, of : where signs stand, as flat places of the piece, and which: int64 of one shape.
    explained : whether the table's own metadata explain the markers; then two signs for "not told" are no riddle.
    """

    texts: tuple[str, ...]
    kinds: tuple[str, ...]
    shape: tuple[int, ...]
    places: np.ndarray
    of: np.ndarray
    explained: bool = False

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.kinds) or not set(self.kinds) <= set(KINDS):
            raise ValueError(f"every sign must have a kind, one of {', '.join(KINDS)}")

    def fits(self, piece: Piece) -> bool:
        """Whether the piece is the table that the signs are of: one that a mend has changed is not."""
        if piece.values.shape != self.shape:
            return False
        return not (piece.markers.ravel()[self.places] == SHOWN).any()

    def cells(self, *kinds: str) -> np.ndarray:
        """The places of all signs of some kinds."""
        wanted = np.array([kind in kinds for kind in self.kinds], np.bool_)
        return self.places[wanted[self.of]] if len(self.of) else self.places


def telling_bounds(piece: Piece, signs: Signs, *, min_count: int) -> Bounds:
    """The piece's bounds with what its signs say; a count x is *small* where 1 <= x <= min_count - 1.

    That a secondary cell is not small is used sum by sum: a cell that the sums of its own table keep
    below min_count is 0, one that they keep above 0 is at least min_count.
    """
    lo, hi = piece.lo.ravel().copy(), piece.hi.ravel().copy()

    def between_(cells: np.ndarray, least: int, most: int) -> None:
        lo[cells], hi[cells] = np.maximum(lo[cells], least), np.minimum(hi[cells], most)

    between_(signs.cells(PRIMARY), 1, min_count - 1)
    between_(signs.cells(NOBODY), 0, 0)
    between_(signs.cells(ROUNDED), 1, furthest(piece))
    nothing, low = _shown_nothing(piece), signs.cells(LOW_SIGN)
    if _low_is_somebody(piece, signs):
        between_(low, 1, furthest(piece))
    if _nothing_is_nobody(piece, signs):
        between_(nothing, 0, 0)
    if _nothing_is_somebody(piece, signs):
        between_(nothing, 1, furthest(piece))
        between_(low, 1, furthest(piece))
    shaped = lo.reshape(piece.lo.shape), hi.reshape(piece.hi.shape)
    secondary = signs.cells(SECONDARY)
    return _without_small(piece, shaped, secondary, min_count) if len(secondary) else shaped


def audit_markers(piece: Piece, signs: Signs, *, min_count: int) -> Audit:
    """What a table's markers give away, one finding for each sign; `piece` has the bounds of `telling_bounds`."""
    findings = [*_said_outright(piece, signs, min_count), *_told_from_nobody(piece, signs, min_count)]
    findings += _left_alone(piece, signs, min_count)
    findings += _told_apart(piece, signs, min_count)
    number = {f"{piece.name}: signs in place of a number": len(signs.texts)}
    checked = ("markers: primary from secondary suppression, nobody from rounded to nobody, ranges with the sums",)
    return Audit(findings=tuple(findings), checked=checked, figures=dict(number))


# --- What signs mean ------------------------------------------------------------------------------


def is_rounded(piece: Piece) -> bool:
    """Whether figures are rounded, so that 0 may stand for somebody."""
    return piece.method.base > 1 and piece.method.name != "cell-key"


def furthest(piece: Piece) -> int:
    """The largest count that the method shows as 0."""
    if not is_rounded(piece):
        return NO_BOUND
    return piece.method.base - 1 if piece.method.name in (SMALL_COUNTS, *BEYOND_VALUES) else reach(piece.method)[1]


def _shown_nothing(piece: Piece) -> np.ndarray:
    return np.flatnonzero((piece.markers.ravel() == SHOWN) & (piece.values.ravel() == 0))


def _low_is_somebody(piece: Piece, signs: Signs) -> bool:
    """Whether ``low`` stands beside zeros: then it is of those that are not nobody (Analysis Function, 2022)."""
    return is_rounded(piece) and len(signs.cells(LOW_SIGN)) > 0 and len(_shown_nothing(piece)) > 0


def _nothing_is_nobody(piece: Piece, signs: Signs) -> bool:
    rounded = len(signs.cells(ROUNDED)) > 0 or _low_is_somebody(piece, signs)
    return is_rounded(piece) and rounded and len(signs.cells(NOBODY)) == 0


def _nothing_is_somebody(piece: Piece, signs: Signs) -> bool:
    rounded = len(signs.cells(ROUNDED)) > 0 or _low_is_somebody(piece, signs)
    return is_rounded(piece) and len(signs.cells(NOBODY)) > 0 and not rounded


def _alone(piece: Piece) -> tuple[Joint, np.ndarray]:
    """The piece's own sums, and the cell at every flat place of it, -1 for none."""
    joint = join_pieces([piece])
    return joint, joint.places[0].ravel()


def _cell_bounds(joint: Joint, cell_at: np.ndarray, bounds: Bounds) -> Bounds:
    """Bounds by place as bounds by cell."""
    lo, hi = np.zeros(len(joint.system), np.int64), np.full(len(joint.system), NO_BOUND, np.int64)
    held = cell_at >= 0
    np.maximum.at(lo, cell_at[held], bounds[0].ravel()[held])
    np.minimum.at(hi, cell_at[held], bounds[1].ravel()[held])
    return lo, hi


def _without_small(piece: Piece, bounds: Bounds, secondary: np.ndarray, min_count: int) -> Bounds:
    """Bounds of cells that are not small, narrowed by the sums of the table until nothing changes."""
    joint, cell_at = _alone(piece)
    lo, hi = _cell_bounds(joint, cell_at, bounds)
    cells = np.unique(cell_at[secondary][cell_at[secondary] >= 0])
    try:
        while True:
            lo, hi = narrow(joint.system.equations, lo, hi)
            low, high = lo[cells], hi[cells]
            more = np.where((low >= 1) & (low < min_count), min_count, low)
            less = np.where((high >= 1) & (high < min_count), 0, high)
            if np.array_equal(more, low) and np.array_equal(less, high):
                break
            lo[cells], hi[cells] = more, less
            if (more > less).any():
                return bounds
    except NoSolution:
        return bounds  # what contradicts itself is told by the attack on the bounds as they were
    told = [each.ravel().copy() for each in bounds]
    for array, known in zip(told, (lo, hi), strict=True):
        array[secondary] = np.where(cell_at[secondary] >= 0, known[np.maximum(cell_at[secondary], 0)], array[secondary])
    return told[0].reshape(bounds[0].shape), told[1].reshape(bounds[1].shape)


# --- Findings -------------------------------------------------------------------------------------


def _said_outright(piece: Piece, signs: Signs, min_count: int) -> list[Finding]:
    """Signs that by themselves say that a count is small, or what it is."""
    found = []
    secondary = [text for text, kind in zip(signs.texts, signs.kinds, strict=True) if kind == SECONDARY]
    for sign, (text, kind) in enumerate(zip(signs.texts, signs.kinds, strict=True)):
        places = signs.places[signs.of == sign]
        if not len(places) or kind not in (PRIMARY, RANGE):
            continue
        lo, hi = (1, min_count - 1) if kind == PRIMARY else _range_of(piece, places)
        if not (lo >= 1 and hi < min_count):
            continue
        why = "stands for primary suppression" if kind == PRIMARY else "stands for a range"
        each = "in 1 cell" if len(places) == 1 else f"in each of {_cells(len(places))}"
        said = f"'{text}' {why}: {each} the count is {between(lo, hi)}"
        others = f"; {_quoted(secondary)} says that a hidden count is 0 or at least {min_count}" if secondary else ""
        mend = "; one marker for all hidden cells says neither"
        found.append(_finding(piece, places, said + others + mend, (lo, hi)))
    return found


def _told_from_nobody(piece: Piece, signs: Signs, min_count: int) -> list[Finding]:
    """Signs that tell nobody from what is rounded to nobody."""
    most, nothing = furthest(piece), _shown_nothing(piece)
    found = []
    for sign, (text, kind) in enumerate(zip(signs.texts, signs.kinds, strict=True)):
        places = signs.places[signs.of == sign]
        if not len(places):
            continue
        if kind == ROUNDED or (kind == LOW_SIGN and _low_is_somebody(piece, signs)):
            beside = f", and 0, in {_cells(len(nothing))}, that it is nobody" if len(nothing) else ""
            said = (
                f"'{text}' says of {_cells(len(places))} that it is somebody, rounded to 0: {between(1, most)}{beside}"
            )
            found.append(_of_somebody(piece, places, said, most, min_count))
        elif kind == NOBODY and _nothing_is_somebody(piece, signs) and len(nothing):
            said = (
                f"'{text}' stands for nobody in {_cells(len(places))}; so 0, in {_cells(len(nothing))}, is somebody, "
                f"rounded to 0: {between(1, most)}"
            )
            found.append(_of_somebody(piece, nothing, said, most, min_count))
    return found


def _of_somebody(piece: Piece, places: np.ndarray, said: str, most: int, min_count: int) -> Finding:
    pinned = most < min_count or most - 1 < min_count - 1
    mend = "; show both alike"
    return _finding(piece, places, said + mend, (1, most), severity="disclosure" if pinned else "warning")


def _left_alone(piece: Piece, signs: Signs, min_count: int) -> list[Finding]:
    """Signs that leave one small count where the sums are asked too, and would not without what the sign says."""
    ranges = [sign for sign, kind in enumerate(signs.kinds) if kind in (RANGE, PRIMARY, ROUNDED, LOW_SIGN)]
    hidden = signs.places[np.isin(signs.of, ranges)]
    hidden = hidden[piece.lo.ravel()[hidden] < piece.hi.ravel()[hidden]]
    if not len(hidden):
        return []
    joint, cell_at = _alone(piece)
    bare = piece.lo.ravel().copy(), piece.hi.ravel().copy()
    bare[0][hidden], bare[1][hidden] = 0, np.where(piece.markers.ravel()[hidden] == LOW, furthest(piece), NO_BOUND)
    try:
        told, silent = (
            narrow(joint.system.equations, *_cell_bounds(joint, cell_at, each)) for each in ((piece.lo, piece.hi), bare)
        )
    except NoSolution:
        return []
    sure = (told[0] == told[1]) & (told[0] >= 1) & (told[0] < min_count) & (silent[0] < silent[1])
    found = []
    for sign in ranges:
        places = signs.places[(signs.of == sign)]
        places = places[cell_at[places] >= 0]
        one = places[sure[cell_at[places]]]
        if not len(one):
            continue
        lo, hi = _range_of(piece, places)
        value = int(told[0][cell_at[one[0]]])
        said = (
            f"'{signs.texts[sign]}' says {between(lo, hi)}; with the sums that they stand in {_cells(len(one))} of "
            f"{len(places)} can be one count alone, the first of them {value}"
        )
        found.append(_finding(piece, one, said, (value, value)))
    return found


def _told_apart(piece: Piece, signs: Signs, min_count: int) -> list[Finding]:
    """Two signs for "not told" that nobody explains, or that the truth shows to be of small counts and of others."""
    hidden = [sign for sign, kind in enumerate(signs.kinds) if kind == HIDDEN and (signs.of == sign).any()]
    if len(hidden) < 2:
        return []
    if piece.truth is not None:
        values = Cube(axes=piece.axes, finest=piece.truth, margins=piece.margins).values().ravel()
        small = (values >= 1) & (values < min_count)
        told = {sign: small[signs.places[signs.of == sign]] for sign in hidden}
        of_small = [sign for sign in hidden if told[sign].all() and len(told[sign]) >= NO_CHANCE]
        others = [sign for sign in hidden if not told[sign].any() and len(told[sign]) >= NO_CHANCE]
        if of_small and others:
            places = signs.places[np.isin(signs.of, of_small)]
            said = (
                f"every cell with {_quoted([signs.texts[sign] for sign in of_small])} ({len(places)}) is a small count, "
                f"and none with {_quoted([signs.texts[sign] for sign in others])}; one marker for all hidden cells "
                "says neither"
            )
            return [_finding(piece, places, said, (1, min_count - 1))]
    if signs.explained:
        return []
    counted = [f"'{signs.texts[sign]}' in {_cells(int((signs.of == sign).sum()))}" for sign in hidden]
    said = (
        f"cells are hidden by {' and by '.join(counted)}: if one of them marks small counts, each of its cells is "
        f"{between(1, min_count - 1)}; say what they mean with markers under --known"
    )
    return [_finding(piece, signs.places[signs.of == hidden[0]], said, None, severity="warning")]


def _range_of(piece: Piece, places: np.ndarray) -> tuple[int, int]:
    return int(piece.lo.ravel()[places].min()), int(piece.hi.ravel()[places].max())


def _quoted(texts: Sequence[str]) -> str:
    return " and ".join(f"'{text}'" for text in texts)


def _cells(number: int) -> str:
    return "1 cell" if number == 1 else f"{number:,} cells"


def _finding(
    piece: Piece, places: np.ndarray, said: str, interval: tuple[int, int] | None, *, severity: str = "disclosure"
) -> Finding:
    """One sign, told at its first cell."""
    names = CubeNames(piece.axes, np.arange(piece.values.size), piece.values.shape)
    told = None if interval is None else (interval[0], None if interval[1] >= NO_BOUND else interval[1])
    return Finding(
        kind="marker",
        severity=severity,
        table=piece.name,
        cell=str(names[int(places.min())]),
        witness=said,
        interval=told,
    )
