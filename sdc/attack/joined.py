"""Tables that count the same, cut to what they tell and joined to one system: made once, asked in several ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sdc.attack.joint import Flow, Joint, Within, join_pieces
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece
from sdc.attack.trimming import trimmed

__all__ = ["Joined", "joined"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """Pieces as `sdc.attack.trimming` cuts them, in the order in which they were given, and their system."""

    pieces: tuple[Piece, ...]
    joint: Joint


def joined(
    pieces: Sequence[Piece],
    *,
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
) -> Joined:
    """Pieces joined; see `sdc.attack.joint.join_pieces`.

    Raises
    ------
    NotJoined
        As `join_pieces`.
    """
    cut, overlaps = trimmed(pieces, overlaps or {})
    return Joined(pieces=tuple(cut), joint=join_pieces(cut, overlaps=overlaps, within=within, flows=flows))
