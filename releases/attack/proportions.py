"""Published percentages, rates and means as bounds on the counts that they are of.

A percentage p shown to d decimals of x among N leaves the whole numbers x in
[(p - h) N / 100, (p + h) N / 100], h = 10^-d / 2, and the other way round N in
[100 x / (p + h), 100 x / (p - h)] (`sdc.rules.rates`); a rate per 1,000 has 1,000 in
the place of 100.  A mean m of a sum of whole units over n people leaves those n for
which [n (m - h), n (m + h)] holds a whole number (`sdc.rules.means`).

Where x and N are intervals themselves, one narrows the other in turns.  Percentages
that were worked out from protected counts, as their `method` then says, are
of published figures: they bound these, and through the method the counts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.axisplaces import places_there
from releases.attack.published import Opened, file_notices
from releases.attack.publishedcubes import RowPlaces, locate_rows, table_axes
from releases.attack.publishedmarkers import read_markers
from sdc.attack.intervals import BEYOND_VALUES, NO_BOUND, reach
from sdc.attack.pieces import Piece
from sdc.rules.means import counts_of_mean
from sdc.rules.rates import MOST_DECIMALS, percent_bounds
from sdc.tables import NOT_PUBLISHED, SHOWN, Hierarchy, Method

__all__ = ["Proportions", "open_proportions", "pieces_of_means", "pieces_of_proportions"]

DECIMAL = re.compile(r"(\d{0,12})(?:\.(\d{0,12}))?\s*%?")
ROUNDS = 3
WIDEST = 999
PER_RATE = 1000

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Proportions:
    """The figures of a file that are no counts.

    Attributes
    ----------
    rows : where the file's rows stand.
    units : int64, the figure of each row in whole units of 10^-decimals; -1 where it shows none.
    method : how the counts were protected that they were worked out from; ``exact`` where they were not.
    """

    name: str
    rows: RowPlaces
    units: np.ndarray
    decimals: int
    method: Method
    notices: tuple[str, ...]

    @property
    def told(self) -> np.ndarray:
        """Rows that show a figure of a place on the axes: bool."""
        return (self.rows.place >= 0) & (self.units >= 0)

    def at(self, array: np.ndarray) -> np.ndarray:
        """What an array of the axes' shape holds at each row."""
        held: np.ndarray = array.ravel()[np.maximum(self.rows.place, 0)]
        return held


def open_proportions(
    name: str, opened: Opened, hierarchy: Hierarchy, listed: Mapping[str, Sequence[str]], method: Method
) -> Proportions:
    """Lay a file of percentages, rates or means over its axes.

    Raises
    ------
    InputError
        As `releases.attack.published.lay_out`; a figure is no decimal number of at least 0; the
        decimals cannot be honoured.  All faults are told at once.
    """
    said, tidy = opened.said, opened.tidy
    faults = Faults(str(said.path))
    axes = table_axes(opened, hierarchy, listed, faults)
    faults.raise_if_any()
    rows = locate_rows(opened, axes, faults)
    texts, index = encode_text(tidy.text.columns[opened.value])
    found = [_decimal(text.strip()) for text in texts.tolist()]
    is_number = np.array([one is not None for one in found], dtype=bool)
    told = said.known.markers
    marked = read_markers(
        tidy, opened.value, opened.marker, is_number, told, faults, numbers="a decimal number of at least 0"
    )
    decimals = said.known.decimals
    if decimals is None:
        decimals = min(max((len(one[1]) for one in found if one), default=0), MOST_DECIMALS)
    shown = [_in_units(one, decimals) for one in found]
    for row in np.flatnonzero(np.array([unit is None for unit in shown], dtype=bool)[index]):
        text = f"has more than {decimals} decimals, or is too large"
        faults.add("decimals", text, "correct decimals", row=tidy.row(row), column=opened.value)
    faults.raise_if_any()
    units = np.array([unit or 0 if one else -1 for one, unit in zip(found, shown, strict=True)], dtype=np.int64)[index]
    return Proportions(
        name=name,
        rows=rows,
        units=np.where(marked.of_row >= 0, -1, units),
        decimals=decimals,
        method=method,
        notices=file_notices(opened, rows.outside, marked.readings),
    )


def _decimal(text: str) -> tuple[str, str] | None:
    """The digits before and behind the point; None where the text is no number."""
    match = DECIMAL.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return match[1] or "0", match[2] or ""


def _in_units(number: tuple[str, str] | None, decimals: int) -> int | None:
    """A number in whole units of 10^-decimals; 0 for none, None where it has more decimals that are no zeros."""
    if number is None:
        return 0
    whole, part = number
    if part[decimals:].strip("0"):
        return None
    units = int(whole + part[:decimals].ljust(decimals, "0"))
    return units if units < NO_BOUND else None


# --- Percentages and rates ------------------------------------------------------------------------


def pieces_of_proportions(
    own: Proportions,
    *,
    per: int,
    measure: str,
    numerators: Piece | None,
    denominators: Piece,
    at_total: Sequence[str] = (),
    judged: bool,
) -> tuple[Piece, ...]:
    """Bounds on the counts that percentages or rates are of, and where these say something on the denominators, on those.

    Parameters
    ----------
    per : what rates are per, a power of ten; 100 for percentages.
    numerators : the table of the counts themselves, where there is one.
    denominators : the table of what they were divided by; `at_total` are its dimensions of which the total is.
    judged : whether the denominators are counts of people that are under attack too.

    Raises
    ------
    ValueError
        So many decimals of so large a rate cannot be held.
    """
    decimals = own.decimals + len(str(per)) - 3
    if str(per) != "1" + "0" * (len(str(per)) - 1) or not 0 <= decimals <= MOST_DECIMALS:
        raise ValueError(
            f"rates per {per} at {own.decimals} decimals cannot be held: use a power of ten and up to 6 decimals"
        )
    there = _Elsewhere(own, denominators, at_total)
    of = np.full((2, len(own.units)), 0, np.int64)
    of[1] = NO_BOUND
    if numerators is not None:
        of[:] = _Elsewhere(own, numerators).bounds()
    if own.method.name != "exact":
        lo, hi = _through_method(own, there, decimals)
        return (_piece(own, measure, np.maximum(lo, of[0]), np.minimum(hi, of[1]), own.told),)
    (lo, hi), (least, most) = of, there.bounds()
    for _ in range(ROUNDS):
        lo, hi = _met((lo, hi), _numerators(own.units, least, most, decimals))
        least, most = _met((least, most), _wholes(own.units, lo, hi, decimals))
    found = [_piece(own, measure, lo, hi, own.told)]
    if judged:
        found.append(there.piece(f"{own.name} (denominators)", least, most, own.told))
    return tuple(found)


def _met(one: Bounds, other: Bounds) -> Bounds:
    return np.maximum(one[0], other[0]), np.minimum(one[1], other[1])


def _numerators(units: np.ndarray, least: np.ndarray, most: np.ndarray, decimals: int) -> Bounds:
    """Counts that percentages allow of denominators from `least` to `most`: int64, exact whatever their size."""
    lo, hi = percent_bounds(units.astype(object), least.astype(object), decimals=decimals, most=most.astype(object))
    hi = np.where(most >= NO_BOUND, NO_BOUND, np.minimum(hi, NO_BOUND))
    return np.minimum(lo, NO_BOUND).astype(np.int64), hi.astype(np.int64)


def _wholes(units: np.ndarray, lo: np.ndarray, hi: np.ndarray, decimals: int) -> Bounds:
    """Denominators that percentages allow of counts from `lo` to `hi`."""
    scale = 2 * 100 * 10**decimals
    shown = 2 * np.maximum(units, 0).astype(object)
    least = -(-(lo.astype(object) * scale) // (shown + 1))
    most = np.where(units > 0, (hi.astype(object) * scale) // np.maximum(shown - 1, 1), NO_BOUND)
    most = np.where(hi >= NO_BOUND, NO_BOUND, np.minimum(most, NO_BOUND))
    return np.minimum(least, NO_BOUND).astype(np.int64), most.astype(np.int64)


def _through_method(own: Proportions, there: "_Elsewhere", decimals: int) -> Bounds:
    """Counts behind percentages that were worked out from published figures: where the denominator shows one."""
    lo, hi = np.zeros(len(own.units), np.int64), np.full(len(own.units), NO_BOUND)
    if own.method.name in BEYOND_VALUES:
        return lo, hi
    divisor, shown = there.values()
    least, most = _numerators(own.units, divisor, divisor, decimals)
    base, (below, above) = own.method.base, reach(own.method)
    lo = np.maximum(-(-least // base) * base - below, 0)
    hi = np.minimum(most // base * base + above, NO_BOUND)
    return np.where(shown, lo, 0), np.where(shown, hi, NO_BOUND)


# --- Means ----------------------------------------------------------------------------------------


def pieces_of_means(own: Proportions, *, sum_decimals: int, measure: str, counts: Piece) -> tuple[Piece, ...]:
    """Bounds on the counts that means were divided by, where their own tables leave fewer than a thousand possible.

    `sum_decimals` of the sums: 0 for whole years, 2 for pounds and pence.
    """
    decimals = own.decimals - sum_decimals
    lo, hi = _Elsewhere(own, counts).bounds()
    some = own.told & (own.units > 0)  # a mean of 0 may be shown of nobody
    lo[some] = np.maximum(lo[some], 1)
    some &= (hi - lo <= WIDEST) & (lo <= hi)
    if 0 <= decimals <= MOST_DECIMALS and some.any():
        fits = counts_of_mean(own.units[some], lo=lo[some], hi=hi[some], decimals=decimals)
        first = np.where(fits.any(axis=1), fits.argmax(axis=1), 1)
        last = np.where(fits.any(axis=1), fits.shape[1] - 1 - fits[:, ::-1].argmax(axis=1), 0)
        lo[some], hi[some] = lo[some] + first, lo[some] + last
    return (_piece(own, measure, lo, hi, own.told),)


# --- Pieces ---------------------------------------------------------------------------------------


class _Elsewhere:
    """The cells of another table that rows are of."""

    def __init__(self, own: Proportions, other: Piece, at_total: Sequence[str] = ()) -> None:
        self.other = other
        mesh = np.broadcast_arrays(*places_there(own.rows.axes, other.axes, at_total))
        whole = [np.broadcast_to(one, own.rows.shape) for one in mesh]
        self.places = tuple(own.at(one) for one in whole)
        self.here = np.min(np.stack(self.places), axis=0) >= 0

    def _taken(self, array: np.ndarray, empty: int) -> np.ndarray:
        return np.where(self.here, array[self.places], empty).astype(np.int64)

    def bounds(self) -> Bounds:
        """What the other table says of the cell of each row: 0 to no bound where it has none."""
        return self._taken(self.other.lo, 0), self._taken(self.other.hi, NO_BOUND)

    def values(self) -> tuple[np.ndarray, np.ndarray]:
        """The value that the other table shows for each row, and where there is one."""
        return self._taken(self.other.values, 0), self.here & (self._taken(self.other.markers, NOT_PUBLISHED) == SHOWN)

    def piece(self, name: str, least: np.ndarray, most: np.ndarray, told: np.ndarray) -> Piece:
        """The other table with bounds of its cells, and nothing shown."""
        lo, hi = np.zeros(self.other.lo.shape, np.int64), np.full(self.other.lo.shape, NO_BOUND)
        rows = told & self.here
        at = tuple(place[rows] for place in self.places)
        np.maximum.at(lo, at, least[rows])
        np.minimum.at(hi, at, most[rows])
        blank = np.full(lo.shape, NOT_PUBLISHED, np.int8)
        return replace(
            self.other,
            name=name,
            values=np.zeros_like(lo),
            markers=blank,
            lo=lo,
            hi=hi,
            method=_exact(self.other.method),
        )


def _piece(own: Proportions, measure: str, lo: np.ndarray, hi: np.ndarray, told: np.ndarray) -> Piece:
    """Bounds of the rows' cells as a piece that shows nothing itself."""
    size = int(np.prod(own.rows.shape))
    low, high = np.zeros(size, np.int64), np.full(size, NO_BOUND)
    low[own.rows.place[told]], high[own.rows.place[told]] = lo[told], hi[told]
    return Piece(
        name=own.name,
        measure=measure,
        axes=own.rows.axes,
        margins=own.rows.margins,
        values=np.zeros(own.rows.shape, np.int64),
        markers=np.full(own.rows.shape, NOT_PUBLISHED, np.int8),
        lo=low.reshape(own.rows.shape),
        hi=high.reshape(own.rows.shape),
        method=_exact(own.method),
    )


def _exact(method: Method) -> Method:
    return Method(name="exact", base=1, min_count=method.min_count)
