"""All published tables as one system: the finest figures they have in common, and every relation between them.

Two figures are the same where they are of the same measure, the same atoms of areas and
the same atoms of every category (`sdc.attack.overlaps`); then all that any table says
of one holds for all.  Figures related otherwise are tied by sums over what they share:

* a table is given the margins that it has in common with another, published or not, and
  the cells of its atoms where divisions overlap;
* ``part <= whole`` and ``whole <= sum of parts`` for people beside claims (`Within`);
* ``after + off = before + on`` for caseloads and the flows between them (`Flow`); where nobody publishes
  one of them, it is a cell of its own, of 0 or more.

Three tables of which every two share a margin that the third has not (A × B, B × C, A × C)
say more together than through shared margins; that is not followed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.attack.overlaps import NotJoined, Overlap, Refined, overlap_of_trees, refine
from sdc.attack.pieces import Piece
from sdc.cube import Cube
from sdc.joining import join_systems, with_at_most, with_more_cells
from sdc.system import CellSystem, Equations, measure_words, stack
from sdc.tables import NOT_PUBLISHED, SHOWN, SUPPRESSED

__all__ = ["AREAS", "Flow", "Joint", "Within", "join_pieces"]

# What the first axis of every piece is of.
AREAS = "area"


@dataclass(frozen=True, kw_only=True)
class Within:
    """Each category of `by` of measure `parts` is at most `whole`, and `whole` at most the sum of them: claims and people."""

    parts: str
    whole: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """after + off = before + on, four measures: caseloads on two reference dates, and who came and went between.

    One of them, but for `after`, may be None: nobody publishes it, and it may be anything from 0 up.

    Raises
    ------
    ValueError
        More than one is None: then the others say nothing of each other.
    """

    before: str | None
    after: str
    on: str | None
    off: str | None

    def __post_init__(self) -> None:
        if len(self.measures) < 3:
            raise ValueError("a flow must have three measures or more of before, after, on and off")

    @property
    def measures(self) -> frozenset[str]:
        """The measures that are published."""
        return frozenset(one for one in (self.before, self.after, self.on, self.off) if one is not None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """The joint system of several pieces; arrays are of shape (cells,).

    Attributes
    ----------
    system : its counts mean nothing; `published` says which cells a piece tells of.
    places : per piece, of its shape: the joint cell of each place, -1 where the place is not held.
    lo, hi : what all pieces say of each cell by themselves.
    truth : int64, -1 where no piece has it.
    hidden : cells that are suppressed where they are published.
    teller : the first piece that publishes each cell, -1 where none does.
    left : cells that stand for what a relation leaves, such as claims beyond the first of each person: counts of nobody.
    axes : per piece, its axes over atoms.
    overlaps : how divisions lie on each other, by dimension, as given or found in area trees.
    notes : what could not be followed, in words.
    """

    system: CellSystem
    places: tuple[np.ndarray, ...]
    lo: np.ndarray
    hi: np.ndarray
    truth: np.ndarray
    hidden: np.ndarray
    teller: np.ndarray
    left: np.ndarray
    axes: tuple[tuple[Refined, ...], ...]
    overlaps: Mapping[str, Overlap]
    notes: tuple[str, ...] = ()

    @property
    def start(self) -> np.ndarray | None:
        """The true table, where it is known in full."""
        return self.truth if len(self.truth) and bool((self.truth >= 0).all()) else None


def join_pieces(
    pieces: Sequence[Piece],
    *,
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
) -> Joint:
    """One system of several pieces.

    Parameters
    ----------
    overlaps : how divisions lie on each other, by dimension, `AREAS` for the areas.  Of area trees that
        share levels it need not be said.  Categories without an overlap are the same where their codes are.

    Raises
    ------
    NotJoined
        An overlap has no division of a piece's units, or two pieces give one figure two true counts.
    """
    overlaps = dict(overlaps or {})
    axes, notes = _refined(pieces, overlaps)
    cubes = [
        _empty_cube(piece, own, margins)
        for piece, own, margins in zip(pieces, axes, _margins(pieces, within), strict=True)
    ]
    systems = [_named(cube, own, piece.measure) for cube, own, piece in zip(cubes, axes, pieces, strict=True)]
    joined = join_systems(systems)
    places = tuple(_places(cube, own, numbers) for cube, own, numbers in zip(cubes, axes, joined.places, strict=True))
    whole = _Whole.of(len(joined.system), pieces, places)
    system = joined.system
    for relation in within:
        smaller, larger = _pairs(pieces, axes, system, relation)
        system = with_at_most(system, smaller, larger)
    for flow in flows:
        system = _with_flow(pieces, axes, system, flow)
    return whole.joint(system, places, tuple(axes), overlaps, notes)


def _refined(
    pieces: Sequence[Piece], overlaps: dict[str, Overlap]
) -> tuple[list[tuple[Refined, ...]], tuple[str, ...]]:
    """The axes of every piece over atoms, and what is not known of how divisions lie on each other.

    An overlap that area trees tell is added to `overlaps`.
    """
    notes: list[str] = []
    trees = [piece.axes[0].hierarchy for piece in pieces]
    smallest = sorted({tree.levels[0] for tree in trees})
    by_name: set[str] = set()
    if AREAS not in overlaps and len(smallest) > 1:
        found = overlap_of_trees(trees)
        if found is not None:
            overlaps[AREAS] = found
        else:
            by_name = {level for a, b in combinations(trees, 2) for level in set(a.levels) & set(b.levels)}
            notes.append(f"how {' and '.join(smallest)} lie on each other: no list of areas has them both")
    notes += _unlike_codes(pieces, overlaps)
    # Tables over one tree share its refinement.
    done: dict[tuple[int, bool, str], Refined] = {}
    axes = []
    for piece in pieces:
        own = []
        for dimension, axis in zip((AREAS, *piece.dimensions), piece.axes, strict=True):
            known = id(axis.hierarchy), axis.total, dimension
            if known not in done:
                levels = by_name if dimension == AREAS else ()
                done[known] = refine(axis, dimension=dimension, overlap=overlaps.get(dimension), by_name=levels)
            own.append(done[known])
        axes.append(tuple(own))
    return axes, tuple(notes)


def _unlike_codes(pieces: Sequence[Piece], overlaps: Mapping[str, Overlap]) -> list[str]:
    """Dimensions that pieces tell by different codes, of which nobody says how they lie on each other."""
    codes: dict[str, set[tuple[str, ...]]] = {}
    for piece in pieces:
        for axis in piece.axes[1:]:
            codes.setdefault(axis.name, set()).add(tuple(axis.hierarchy.codes[0].tolist()))
    return [
        f"how the categories of {name} lie on each other: tables have different ones"
        for name, lists in sorted(codes.items())
        if len(lists) > 1 and name not in overlaps
    ]


def _margins(pieces: Sequence[Piece], within: Sequence[Within]) -> list[tuple[frozenset[str], ...]]:
    """The margins of each piece, and those that it shares with another."""
    by = {(relation.parts, relation.by) for relation in within}
    found = []
    for piece in pieces:
        own = frozenset(piece.dimensions)
        more = {name for measure, name in by if measure == piece.measure} & own
        shared = {own & frozenset(other.dimensions) for other in pieces if other is not piece}
        shared |= {margin | more for margin in shared}
        found.append(tuple(dict.fromkeys([*piece.margins, *sorted(shared, key=sorted)])))
    return found


def _empty_cube(piece: Piece, axes: Sequence[Refined], margins: Sequence[frozenset[str]]) -> Cube:
    """The cells of a piece with these margins, over atoms; its counts are of no matter."""
    names = {axis.name: one.axis.name for axis, one in zip(piece.axes, axes, strict=True)}
    return Cube(
        axes=tuple(one.axis for one in axes),
        finest=np.zeros(tuple(one.axis.sizes[0] for one in axes), np.int64),
        margins=tuple(frozenset(names[name] for name in margin) for margin in margins),
    )


def _named(cube: Cube, axes: Sequence[Refined], measure: str) -> CellSystem:
    """The cube's system with the identity of its figures."""
    system = cube.system()
    words: np.ndarray = measure_words(measure)
    for one in axes:
        words = words[..., None, :] + one.words
    identity = words[cube.numbers() >= 0]
    return CellSystem(
        counts=system.counts,
        equations=_telling(system.equations, identity),
        published=np.zeros(len(system), np.bool_),
        identity=identity,
        names=system.names,
        areas=None,
    )


def _telling(equations: Equations, identity: np.ndarray) -> Equations:
    """The sums but for those of one part that is the same figure as the whole."""
    firsts, lengths = equations.starts[:-1], np.diff(equations.starts)
    pairs = np.flatnonzero(lengths == 2)
    whole, part = equations.cells[firsts[pairs]], equations.cells[firsts[pairs] + 1]
    same = (identity[whole] == identity[part]).all(axis=1)
    return equations.chosen(np.setdiff1d(np.arange(len(equations)), pairs[same]))


def _places(cube: Cube, axes: Sequence[Refined], joined: np.ndarray) -> np.ndarray:
    """The joint cell at every place of the piece as it was; -1 where none is held."""
    numbers = cube.numbers()[tuple(slice(one.added, None) for one in axes)]
    return np.where(numbers >= 0, joined[np.maximum(numbers, 0)], -1)


@dataclass(kw_only=True, eq=False)
class _Whole:
    """What pieces say of joint cells, gathered one by one."""

    lo: np.ndarray
    hi: np.ndarray
    truth: np.ndarray
    hidden: np.ndarray
    shown: np.ndarray
    teller: np.ndarray

    @classmethod
    def of(cls, size: int, pieces: Sequence[Piece], places: Sequence[np.ndarray]) -> "_Whole":
        whole = cls(
            lo=np.zeros(size, np.int64),
            hi=np.full(size, NO_BOUND, np.int64),
            truth=np.full(size, -1, np.int64),
            hidden=np.zeros(size, np.bool_),
            shown=np.zeros(size, np.bool_),
            teller=np.full(size, -1, np.int64),
        )
        for number, (piece, place) in enumerate(zip(pieces, places, strict=True)):
            whole.add(number, piece, place)
        return whole

    def add(self, number: int, piece: Piece, place: np.ndarray) -> None:
        """Take in what one piece says."""
        held = place >= 0
        cells = place[held]
        np.maximum.at(self.lo, cells, piece.lo[held])
        np.minimum.at(self.hi, cells, piece.hi[held])
        markers = piece.markers[held]
        self.hidden[cells[markers == SUPPRESSED]] = True
        self.shown[cells[markers == SHOWN]] = True
        told = cells[(markers != NOT_PUBLISHED) & (self.teller[cells] < 0)]
        self.teller[told] = number
        if piece.truth is None:
            return
        true = Cube(axes=piece.axes, finest=piece.truth, margins=piece.margins).values()[held]
        if np.any((self.truth[cells] >= 0) & (self.truth[cells] != true)):
            raise NotJoined(f"{piece.name} must have the true counts of the other tables for the figures they share")
        self.truth[cells] = true

    def joint(
        self,
        system: CellSystem,
        places: tuple[np.ndarray, ...],
        axes: tuple[tuple[Refined, ...], ...],
        overlaps: Mapping[str, Overlap],
        notes: tuple[str, ...],
    ) -> Joint:
        """The joint system; cells behind the gathered ones stand for what relations leave."""
        more = len(system) - len(self.lo)
        start = bool(len(self.truth)) and bool((self.truth >= 0).all())
        left = _left(system, self.truth) if start and more else np.full(more, -1, np.int64)
        return Joint(
            system=system,
            places=places,
            lo=np.concatenate([self.lo, np.zeros(more, np.int64)]),
            hi=np.concatenate([self.hi, np.full(more, NO_BOUND, np.int64)]),
            truth=np.concatenate([self.truth, left]),
            hidden=np.concatenate([self.hidden & ~self.shown, np.zeros(more, np.bool_)]),
            teller=np.concatenate([self.teller, np.full(more, -1, np.int64)]),
            left=np.arange(len(system)) >= len(self.lo),
            axes=axes,
            overlaps=overlaps,
            notes=notes,
        )


def _left(system: CellSystem, truth: np.ndarray) -> np.ndarray:
    """The true values of cells that relations added behind the others: what their own sum leaves of it."""
    known = np.concatenate([truth, np.zeros(len(system) - len(truth), np.int64)])
    equations = system.equations
    for equation in np.unique(equations.rows[equations.cells >= len(truth)]).tolist():
        cells, signs = equations.entries(equation)
        new = cells >= len(truth)
        known[cells[new]] = -int((known[cells[~new]] * signs[~new]).sum()) * int(signs[new][0])
    return known[len(truth) :]


def _index(system: CellSystem) -> dict[bytes, int]:
    assert system.identity is not None
    return {words.tobytes(): cell for cell, words in enumerate(system.identity)}


def _words_of(piece: Piece, axes: Sequence[Refined], *, without: str = "") -> np.ndarray:
    """Identity of every place of a piece but for its measure and, where named, one axis: uint64 of its shape and 2."""
    words: np.ndarray = np.zeros(2, np.uint64)
    for axis, one in zip(piece.axes, axes, strict=True):
        own = one.words[one.added :]
        words = words[..., None, :] + (np.zeros_like(own) if axis.name == without else own)
    return words


def _found(index: Mapping[bytes, int], words: np.ndarray) -> np.ndarray:
    """The joint cell of each pair of words, -1 where there is none: of the words' shape less the last."""
    flat = np.ascontiguousarray(words.reshape(-1, 2))
    return np.array([index.get(pair.tobytes(), -1) for pair in flat], np.int64).reshape(words.shape[:-1])


def _pairs(
    pieces: Sequence[Piece], axes: Sequence[tuple[Refined, ...]], system: CellSystem, relation: Within
) -> tuple[np.ndarray, np.ndarray]:
    """Cells that are at most others: each part at most the whole, the whole at most the sum of the parts."""
    index, pairs = _index(system), []
    for piece, own in zip(pieces, axes, strict=True):
        if piece.measure != relation.parts or relation.by not in piece.dimensions:
            continue
        at = 1 + piece.dimensions.index(relation.by)
        parts = _found(index, _words_of(piece, own) + measure_words(relation.parts))
        wholes = _found(index, _words_of(piece, own, without=relation.by) + measure_words(relation.whole))
        total = np.zeros(parts.shape, np.bool_)
        np.moveaxis(total, at, 0)[-1] = True
        both = (parts >= 0) & (wholes >= 0)
        pairs.append(np.stack([parts, wholes])[:, both & ~total])
        pairs.append(np.stack([wholes, parts])[:, both & total])
    if not pairs:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    smaller, larger = np.unique(np.concatenate(pairs, axis=1), axis=1)
    return smaller, larger


def _with_flow(
    pieces: Sequence[Piece], axes: Sequence[tuple[Refined, ...]], system: CellSystem, flow: Flow
) -> CellSystem:
    """The system with after + off = before + on, wherever all figures that are published are held."""
    index, rows = _index(system), set()
    for piece, own in zip(pieces, axes, strict=True):
        if piece.measure == flow.after:
            words = _words_of(piece, own)
            measures = [one for one in (flow.after, flow.off, flow.before, flow.on) if one is not None]
            cells = np.stack([_found(index, words + measure_words(measure)).ravel() for measure in measures])
            rows |= set(map(tuple, cells[:, (cells >= 0).all(axis=0)].T.tolist()))
    if len(flow.measures) < 4:
        return _with_rest(system, flow, np.array(sorted(rows), np.int64).reshape(-1, 3))
    added = _four_terms(len(system), sorted(rows))
    return CellSystem(
        counts=system.counts,
        equations=stack(len(system), [system.equations, added]),
        published=system.shown,
        identity=system.identity,
        names=system.names,
        areas=system.areas,
    )


def _with_rest(system: CellSystem, flow: Flow, rows: np.ndarray) -> CellSystem:
    """The system with a cell behind the others for each row of three, for what nobody publishes of a flow."""
    new = np.arange(len(system), len(system) + len(rows))
    at = (None, flow.off, flow.before, flow.on).index(None, 1)
    cells = np.insert(rows, at, new, axis=1)
    added = _four_terms(len(system) + len(rows), map(tuple, cells.tolist()))
    return with_more_cells(system, added, beside=rows[:, 0], called="what nobody publishes beside")


def _four_terms(size: int, rows: Iterable[tuple[int, ...]]) -> Equations:
    cells = np.array(list(rows), np.int32).reshape(-1, 4)
    signs = np.tile(np.array([1, 1, -1, -1], np.int8), (len(cells), 1))
    starts = np.arange(0, 4 * len(cells) + 1, 4, dtype=np.int64)
    return Equations(size=size, starts=starts, cells=cells.ravel(), signs=signs.ravel())
