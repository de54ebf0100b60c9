"""What an attack on related tables asks besides their intervals, over all of them together.

Named insiders, and everybody where the tables are few; groups of a sensitive dimension; what noisy figures leave to
be believed.  Intervals themselves, and what single tables give away, are found elsewhere (`sdc.attack.judge`,
`sdc.attack.jointly`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sdc.attack.averagedbeliefs import combined_audit
from sdc.attack.insiders import audit_insiders
from sdc.attack.intervals import NO_BOUND
from sdc.attack.joined import Joined, joined
from sdc.attack.joint import Flow, Joint, Within
from sdc.attack.jointgroups import audit_joint_groups
from sdc.attack.jointly import JointNames
from sdc.attack.overlaps import Overlap
from sdc.attack.people import Insider, named_people
from sdc.attack.pieces import Piece
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.findings import Audit

__all__ = ["MOST_JOINED", "Besides", "audit_besides"]

# Places of all tables up to which everybody and groups are looked at jointly without being named.
MOST_JOINED = 400_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Besides:
    """What is asked of a set of related tables.

    Attributes
    ----------
    min_count, width, sensitive, group_size : as in `sdc.attack.judge.audit_tables`.
    max_certainty : how firmly one small count may be believed by whoever has the ptable.
    insiders : people who know their own records, by the name of the table that they are counted in.
    ptables : of noisy tables, where the attacker has them.
    public : names of tables that are known and not judged.
    told : tables whose own attack has told what they give away by themselves.
    together : whether the tables are one system whose intervals are not each cell's own: then
        everybody is tried, and groups are asked of all tables together.
    """

    min_count: int
    width: int
    sensitive: Sequence[str] = ()
    group_size: int = 10
    max_certainty: float = 0.9
    insiders: Mapping[str, Sequence[Insider]] = field(default_factory=dict)
    ptables: Mapping[str, PTable | KeyTable] = field(default_factory=dict)
    public: Collection[str] = ()
    told: Collection[str] = ()
    together: bool = False


def audit_besides(
    pieces: Sequence[Piece],
    asked: Besides,
    *,
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    ready: Joined | None = None,
) -> Audit:
    """What is asked of related tables; see `sdc.attack.joint.join_pieces` for the rest, but for `ready`: these joined already.

    Raises
    ------
    NotJoined
        As `join_pieces`.
    """
    named = any(asked.insiders.get(piece.name) for piece in pieces)
    if not (named or asked.together or asked.ptables):
        return Audit()
    cells = sum(piece.values.size for piece in pieces)
    by = ", ".join(piece.name for piece in pieces)
    large = cells > MOST_JOINED
    if large and not named and not asked.ptables:
        return Audit(not_checked=(f"{by}: insiders and groups by what all tables say together ({cells:,} cells)",))
    if ready is None:
        ready = joined(pieces, overlaps=overlaps, within=within, flows=flows)
    cut, joint = ready.pieces, ready.joint
    names = JointNames(joint, cut)
    audit = Audit()
    if asked.ptables:
        audit = audit.joined(
            combined_audit(
                joint, cut, asked.ptables, names, min_count=asked.min_count, max_certainty=asked.max_certainty
            )
        )
    if asked.together and not large:
        groups = audit_joint_groups(
            joint,
            cut,
            names,
            sensitive=asked.sensitive,
            group_size=asked.group_size,
            public=asked.public,
            told=asked.told,
        )
        audit = audit.joined(groups)
    unbounded = not (within or flows) and _unbounded(joint)
    if named or (asked.together and not large and not unbounded):
        placed = {
            number: [_placed(one, before, after) for one in asked.insiders.get(before.name, ())]
            for number, (before, after) in enumerate(zip(pieces, cut, strict=True))
        }
        people = audit_insiders(
            joint,
            cut,
            named_people(joint, cut, placed),
            names,
            min_count=asked.min_count,
            width=asked.width,
            public=asked.public,
            all_people=asked.together and not large and not unbounded,
        )
        audit = audit.joined(people)
    return audit


def _unbounded(joint: Joint) -> bool:
    """Whether nothing bounds any figure from above, as where nobody says how far noise reaches.

    Where all ties are sums, any finest cell may then hold any number more, and all that contains it: whoever
    knows of somebody learns no cell exactly, and of none that it is small.
    """
    return bool((joint.hi >= NO_BOUND).all())


def _placed(insider: Insider, before: Piece, after: Piece) -> Insider:
    """The insider's place in a table whose smallest levels were cut off: that of the area that they lie in."""
    gone = before.values.shape[0] - after.values.shape[0]
    axis, area = before.axes[0], insider.place[0]
    while area < gone:
        level = int(np.searchsorted(axis.starts, area, side="right")) - 1
        area = int(axis.starts[level + 1]) + int(axis.hierarchy.parents[level][area - int(axis.starts[level])])
    return replace(insider, place=(area - gone, *insider.place[1:]))
