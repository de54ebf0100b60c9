"""Groups of which all tables together prove that all, or none, share an attribute.

As `sdc.attack.groups` for one table: a group is the people at one place of a table, in all its
dimensions but a sensitive one; it is *small* where its size is proven below `group_size`, and exposed for a
category of the sensitive dimension where it may hold anybody and every other category's
upper bound is 0 (all share it), or its own is (none has it).  Here the upper bounds are those
of the joint system: another table may say what this one hides.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sdc.attack.intervals import NO_BOUND
from sdc.attack.joint import Joint, join_pieces
from sdc.attack.listing import MOST_LISTED, listed
from sdc.attack.narrowing import NoSolution, narrow
from sdc.attack.pieces import Piece
from sdc.attack.programmes import feasible_intervals
from sdc.findings import Audit, Finding
from sdc.tables import STRUCTURAL

__all__ = ["JointExposure", "audit_joint_groups", "joint_exposures"]

MOST_CELLS = 240
# Groups that sums alone leave so many times too large for are not followed further.
SLACK = 4


@dataclass(frozen=True, kw_only=True)
class JointExposure:
    """A small group of which all (`everybody`) or none provably share a category.

    `group` and `cell` are joint cells: of the whole group, and of its members with the category; `row` is the
    number of the group among all places of its table.
    """

    piece: int
    row: int
    group: int
    cell: int
    dimension: str
    category: str
    everybody: bool
    size: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Groups:
    """Groups of one piece and sensitive dimension: joint cells of shape (groups,) and (groups, categories)."""

    piece: int
    rows: np.ndarray
    dimension: str
    codes: tuple[str, ...]
    whole: np.ndarray
    members: np.ndarray
    possible: np.ndarray


def joint_exposures(
    joint: Joint, pieces: Sequence[Piece], *, sensitive: Sequence[str], group_size: int, public: Collection[str] = ()
) -> list[JointExposure]:
    """Every exposure of a group that a table not in `public` tells of.

    Raises
    ------
    NoSolution
        No table fits.
    """
    groups = [
        one
        for number, piece in enumerate(pieces)
        if piece.name not in public
        for name in sensitive
        if name in piece.dimensions
        for one in _groups_of(joint, pieces, number, name)
    ]
    if not groups:
        return []
    equations = joint.system.equations
    hi = narrow(equations, joint.lo, joint.hi)[1]
    asked: list[np.ndarray] = [np.empty(0, np.int64)]
    for one in groups:
        near = _sizes(one, hi) < SLACK * group_size
        asked += [one.whole[near], one.members[near].ravel()]
    cells = np.unique(np.concatenate(asked))
    cells = cells[hi[cells] > 0]
    found = feasible_intervals(equations, joint.lo, joint.hi, asked=cells, start=joint.start, most_cells=MOST_CELLS)
    hi[cells] = found.hi
    return [hit for one in groups for hit in _exposed(joint, one, hi, group_size)]


def audit_joint_groups(
    joint: Joint,
    pieces: Sequence[Piece],
    names: Sequence[str],
    *,
    sensitive: Sequence[str],
    group_size: int,
    public: Collection[str] = (),
    told: Collection[str] = (),
) -> Audit:
    """Groups exposed by all tables together, told by `names` of joint cells; nothing where no table has a sensitive dimension.

    What tables of `told` expose by themselves is left out: their own attack has told it.
    """
    wanted = [name for name in sensitive if any(name in piece.dimensions for piece in pieces)]
    if not wanted:
        return Audit()
    by = ", ".join(piece.name for piece in pieces)
    try:
        hits = joint_exposures(joint, pieces, sensitive=wanted, group_size=group_size, public=public)
        hits = _news(hits, pieces, told, sensitive=wanted, group_size=group_size)
    except NoSolution:
        return Audit()  # a contradiction, which the attack has told

    def tell(hit: JointExposure) -> Finding:
        who = f"at most {hit.size} in the group {names[hit.group]}"
        if hit.everybody:
            text = f"{who}, and all of them have {hit.dimension}={hit.category}: all tables together leave 0 for every other"
        else:
            text = f"{who}, and none of them has {hit.dimension}={hit.category}: all tables together leave 0 for it"
        return Finding(
            kind="group",
            severity="disclosure",
            table=pieces[hit.piece].name,
            cell=names[hit.cell],
            witness=text,
            interval=(0, hit.size if hit.everybody else 0),
        )

    checked = Audit(checked=(f"{by}: groups in {', '.join(wanted)}, by what all tables together prove",))
    return listed(by, "group, all tables", hits[:MOST_LISTED], tell, len(hits)).joined(checked)


def _news(
    hits: list[JointExposure],
    pieces: Sequence[Piece],
    told: Collection[str],
    *,
    sensitive: Sequence[str],
    group_size: int,
) -> list[JointExposure]:
    """The exposures that no table of `told` has by itself."""
    news = list(hits)
    for number in sorted({hit.piece for hit in hits if pieces[hit.piece].name in told}):
        piece = pieces[number]
        alone = joint_exposures(join_pieces([piece]), [piece], sensitive=sensitive, group_size=group_size)
        old = {(hit.row, hit.dimension, hit.category, hit.everybody) for hit in alone}
        news = [
            hit
            for hit in news
            if hit.piece != number or (hit.row, hit.dimension, hit.category, hit.everybody) not in old
        ]
    return news


def _groups_of(joint: Joint, pieces: Sequence[Piece], number: int, dimension: str) -> Iterator[_Groups]:
    """The groups of a piece whose members are all held in the joint system."""
    piece = pieces[number]
    at = 1 + piece.dimensions.index(dimension)
    axis = piece.axes[at]
    categories = axis.sizes[0]
    places = np.moveaxis(joint.places[number], at, -1).reshape(-1, int(axis.starts[-1]))
    markers = np.moveaxis(piece.markers, at, -1).reshape(places.shape)[:, :categories]
    if not axis.total:
        return
    held = (places[:, :categories] >= 0).all(axis=1) & (places[:, -1] >= 0)
    if held.any():
        yield _Groups(
            piece=number,
            rows=np.flatnonzero(held),
            dimension=dimension,
            codes=tuple(axis.hierarchy.codes[0].tolist()),
            whole=places[held, -1],
            members=places[held, :categories],
            possible=markers[held] != STRUCTURAL,
        )


def _sizes(groups: _Groups, hi: np.ndarray) -> np.ndarray:
    """The upper bound of each group's size."""
    return np.minimum(np.minimum(hi[groups.members], NO_BOUND).sum(axis=1), hi[groups.whole])


def _exposed(joint: Joint, groups: _Groups, hi: np.ndarray, group_size: int) -> Iterator[JointExposure]:
    size, most = _sizes(groups, hi), hi[groups.members]
    true = joint.truth[groups.whole]
    small = (size < group_size) & (size > 0) & (true != 0)
    holders, choices = (most > 0).sum(axis=1), groups.possible.sum(axis=1)
    for category, code in enumerate(groups.codes):
        some = most[:, category] > 0
        for everybody, hit in (
            (True, small & some & (holders == 1) & (choices > 1)),
            (False, small & ~some & groups.possible[:, category]),
        ):
            for group in np.flatnonzero(hit).tolist():
                yield JointExposure(
                    piece=groups.piece,
                    row=int(groups.rows[group]),
                    group=int(groups.whole[group]),
                    cell=int(groups.members[group, category]),
                    dimension=groups.dimension,
                    category=code,
                    everybody=everybody,
                    size=int(size[group]),
                )
