"""How a command on tables of counts ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from common.faults import Disclosure
from sdc.findings import Audit

if TYPE_CHECKING:
    from sdc.mends.trying import Mend

__all__ = ["Outcome", "Refused"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found (None where nothing was attacked), which mends were tried, which files were written, what else
    there is to say."""

    audit: Audit | None = None
    written: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()
    mends: "tuple[Mend, ...]" = ()


class Refused(Disclosure):
    """A table that was not written because its own audit found a disclosure (exit code 1).

    `outcome` carries the whole audit and the private report, where one was asked for.
    """

    def __init__(self, message: str, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(message, outcome.audit.findings if outcome.audit else ())
