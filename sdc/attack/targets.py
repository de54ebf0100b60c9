"""What is attacked: a published table with everything that is known of it."""

from dataclasses import dataclass

from sdc.attack.backwards import Ruled
from sdc.attack.intervals import Intervals
from sdc.attack.markers import Signs
from sdc.attack.onesign import Silent
from sdc.attack.people import Insider
from sdc.attack.pieces import Piece
from sdc.cellkey.ptable import KeyTable, PTable
from sdc.tables import SafeTable, Table

__all__ = ["Target"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Target:
    """A published table under attack.

    Attributes
    ----------
    piece : the table on axes, with all that is known of it.
    table, known, truth : the same as a network, with what is known besides its values and its true counts; None
        where it is none, nothing is known, or nobody has them.
    public : another body's, which is known and not judged.  What a public network says of figures that networks share
        with it must stand in their `known` already.
    variance : of its noise, where the attacker knows it.
    ptable : of its noise, where the attacker has it.
    signs : what stands in cells instead of numbers (`sdc.attack.markers`); what they say is in the bounds already.
    silent : what would be known if they said no more than that no number is told; None where there are none.
    ruled : the rule by which its choices were made, where everybody knows it.
    insiders : people who know that they are counted at a place of the piece.
    """

    piece: Piece
    table: SafeTable | None = None
    known: Intervals | None = None
    truth: Table | None = None
    public: bool = False
    variance: float | None = None
    ptable: PTable | KeyTable | None = None
    signs: Signs | None = None
    silent: Silent | None = None
    ruled: Ruled | None = None
    insiders: tuple[Insider, ...] = ()
