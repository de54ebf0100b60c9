"""The attack on tables that were read, or made, with everything that ties them: one way for all commands."""

from collections.abc import Sequence
from dataclasses import replace

from common.faults import Fault, InputError
from common.progress import SILENT, Progress
from releases.attack.piecefiles import PieceFile
from releases.attack.pieces import Read
from releases.attack.publictables import bounds_from
from releases.rules.ptables import read_ptable
from sdc.attack.averaging import MAX_CERTAINTY, noise_variance
from sdc.attack.intervals import Intervals
from sdc.attack.overlaps import NotJoined
from sdc.attack.pieces import Piece
from sdc.attack.targets import Target
from sdc.attack.together import audit_together
from sdc.findings import Audit

__all__ = ["attack_targets", "known_from_others", "targets_of", "with_ours"]


def with_ours(read: Read, ours: Sequence[PieceFile]) -> Read:
    """What was read with tables of ours as they are now, each under the name and measure that it was read by."""
    now = {one.name: one for one in ours}
    pieces = []
    for piece in read.pieces:
        one = now.get(piece.name)
        own = piece if one is None or one.piece is None else replace(one.piece, measure=piece.measure)
        pieces.append(own)
    networks = {name: one.published for name, one in now.items() if one.published is not None}
    truths = {name: one.truth for name, one in now.items() if one.truth is not None}
    return replace(read, pieces=tuple(pieces), tables={**read.tables, **networks}, truths={**read.truths, **truths})


def targets_of(read: Read) -> tuple[Target, ...]:
    """Every table as it is attacked: as a network too where it is one."""
    ours = [_target(read, piece) for piece in read.pieces]
    theirs = [_of_others(read, piece) for piece in read.public_pieces]
    return (*ours, *theirs)


def _of_others(read: Read, piece: Piece) -> Target:
    network = read.public.get(piece.name)
    if network is None:
        return Target(piece=piece, public=True)
    return Target(piece=piece, table=network.safe, known=network.known, public=True)


def _target(read: Read, piece: Piece) -> Target:
    network = read.tables.get(piece.name)
    if network is None:
        return Target(piece=piece)
    both = [each for each in (known_from_others(read, piece), network.known) if each is not None]
    known = None if not both else both[0] if len(both) == 1 else both[0].intersected(both[1])
    ptable = network.said.known.ptable
    return Target(
        piece=piece,
        table=network.safe,
        known=known,
        truth=read.truths.get(piece.name),
        variance=None if ptable is None else noise_variance(read_ptable(ptable)),
    )


def known_from_others(read: Read, piece: Piece) -> Intervals | None:
    """What public tables say of the cells of a network of ours; None where there are none, or it is no network."""
    network = read.tables.get(piece.name)
    alike = [one.name for one in read.public_pieces if one.measure == piece.measure and one.name in read.public]
    beside = [read.public[name] for name in alike]
    return bounds_from(beside, network.safe) if network is not None and beside else None


def attack_targets(
    read: Read,
    targets: Sequence[Target],
    *,
    width: int | None = None,
    sensitive: tuple[str, ...] = (),
    group_size: int = 10,
    max_certainty: float = MAX_CERTAINTY,
    verdict: bool = False,
    progress: Progress = SILENT,
) -> Audit:
    """Attack tables, each with all that says something of it; `read` says how they lie on each other.

    See `sdc.attack.together.audit_together` for the parameters.

    Raises
    ------
    InputError
        Tables cannot be joined by what is said of them, or a truth does not fit.
    """
    try:
        return audit_together(
            targets,
            min_count=read.min_count,
            width=width,
            sensitive=sensitive,
            group_size=group_size,
            overlaps=read.overlaps,
            within=read.within,
            flows=read.flows,
            revisions=read.revisions,
            max_certainty=max_certainty,
            verdict=verdict,
            progress=progress,
        )
    except NotJoined as error:
        raise InputError(
            [Fault(kind="relation", found=str(error), mend="correct the files or what is said of them")]
        ) from None
