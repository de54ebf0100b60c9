"""Kinds of fault and error, and how a fault is put into one line.

A *fault* is something wrong in what a user gave us: it says where it is, what
was found and how to mend it, and never carries a person's value.  Faults are
collected and told together; an error carries them to the command line, which
turns its kind into an exit code.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "Disclosure",
    "Fault",
    "Faults",
    "Infeasible",
    "InputError",
    "SmallareaError",
    "fault_lines",
]

SHOWN_PER_KIND = 20


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong in the input.

    `row` counts lines of a CSV file with the header as 1, and rows of a
    Parquet file from 1.  `kind` groups faults of one sort for counting.
    """

    kind: str
    found: str
    mend: str
    file: str = ""
    row: int | None = None
    column: str = ""
    key: str = ""

    def line(self) -> str:
        """The fault as one unwrapped line: where, what was found, how to mend it."""
        where = [self.file] if self.file else []
        if self.row is not None:
            where.append(f"row {self.row}")
        if self.column:
            where.append(f"column '{self.column}'")
        if self.key:
            where.append(self.key)
        text = f"{', '.join(where)}: {self.found}; {self.mend}" if where else f"{self.found}; {self.mend}"
        return " ".join(text.split())


class SmallareaError(Exception):
    """What a user can mend.  `exit_code` is what the command line ends with."""

    exit_code = 2


class InputError(SmallareaError):
    """The input or the options are wrong (exit code 2); carries every fault found."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(fault_lines(self.faults)))


class Disclosure(SmallareaError):
    """A disclosure or a failed check was found (exit code 1); carries the findings."""

    exit_code = 1

    def __init__(self, message: str, findings: Iterable[object] = ()) -> None:
        self.findings = tuple(findings)
        super().__init__(message)


class Infeasible(SmallareaError):
    """No solution exists under what was asked (exit code 3); `demands` names what clashes."""

    exit_code = 3

    def __init__(self, message: str, demands: Iterable[str] = ()) -> None:
        self.demands = tuple(demands)
        super().__init__(message)


class Faults:
    """Collects faults so that they can be told all at once."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.found: list[Fault] = []

    def add(
        self,
        kind: str,
        found: str,
        mend: str,
        *,
        file: str | None = None,
        row: int | None = None,
        column: str = "",
        key: str = "",
    ) -> None:
        """Note one fault; `file` defaults to the collector's own."""
        where = self.file if file is None else file
        self.found.append(Fault(kind=kind, found=found, mend=mend, file=where, row=row, column=column, key=key))

    def extend(self, error: InputError) -> None:
        """Take over the faults of an error that was caught to go on looking."""
        self.found.extend(error.faults)

    def raise_if_any(self) -> None:
        """Raise `InputError` with all faults, if there are any."""
        if self.found:
            raise InputError(self.found)


def fault_lines(faults: Iterable[Fault]) -> list[str]:
    """One line a fault; after 20 of a kind, one line saying how many more."""
    lines: list[str] = []
    seen: Counter[tuple[str, str]] = Counter()
    for fault in faults:
        group = (fault.kind, fault.file)
        seen[group] += 1
        if seen[group] <= SHOWN_PER_KIND:
            lines.append(fault.line())
    for (kind, file), number in seen.items():
        if number > SHOWN_PER_KIND:
            where = f"{file}: " if file else ""
            lines.append(f"{where}and {number - SHOWN_PER_KIND} more of the kind '{kind}'")
    return lines
