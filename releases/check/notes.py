"""Collects what a check finds, so that everything is told at once and nothing without bound."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from sdc.findings import Audit, Finding

__all__ = ["SHOWN", "Notes"]

SHOWN = 20
"""Findings of one kind in one file that are told one by one; the rest are counted."""


class Notes:
    """Findings so far, with what was and was not checked."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._checked: dict[str, None] = {}
        self._not_checked: dict[str, None] = {}
        self._figures: dict[str, object] = {}
        self._excepted = False

    @contextlib.contextmanager
    def excepted(self, excepted: bool) -> Iterator[None]:
        """While the block lasts, what would be a disclosure is told as a warning, if `excepted`."""
        before, self._excepted = self._excepted, excepted
        try:
            yield
        finally:
            self._excepted = before

    def wrong(self, kind: str, file: str, witness: str, *, cell: str = "") -> None:
        """Something that does not agree: the folder cannot be what it says it is."""
        self._add(Finding(kind=kind, severity="contradiction", table=file, cell=cell, witness=witness))

    def leak(
        self, kind: str, file: str, witness: str, *, cell: str = "", interval: tuple[int, int | None] | None = None
    ) -> None:
        """Something that tells, or lets somebody prove, what may not be told."""
        severity = "warning" if self._excepted else "disclosure"
        found = Finding(kind=kind, severity=severity, table=file, cell=cell, witness=witness, interval=interval)
        self._add(found)

    def warn(self, kind: str, file: str, witness: str, *, cell: str = "") -> None:
        """Something a reviewer should look at, which fails nothing by itself."""
        self._add(Finding(kind=kind, severity="warning", table=file, cell=cell, witness=witness))

    def checked(self, what: str) -> None:
        """Say that something was looked at."""
        self._checked[what] = None

    def not_checked(self, what: str) -> None:
        """Say that something was not looked at, and why."""
        self._not_checked[what] = None

    def figure(self, name: str, value: object) -> None:
        """A number worth telling."""
        self._figures[name] = value

    def more(self, kind: str, file: str, number: int) -> None:
        """Count findings beyond those that were told one by one."""
        self._numbers[kind, file] += number

    def _add(self, finding: Finding) -> None:
        group = (finding.kind, finding.table)
        self._numbers[group] += 1
        if self._numbers[group] <= SHOWN:
            self._findings.append(finding)

    def audit(self) -> Audit:
        """Everything so far; kinds with more than `SHOWN` findings in a file are counted in the figures."""
        beyond: dict[str, object] = {
            f"{kind} in {file}": number for (kind, file), number in self._numbers.items() if number > SHOWN
        }
        return Audit(
            findings=tuple(self._findings),
            checked=tuple(self._checked),
            not_checked=tuple(self._not_checked),
            figures={**self._figures, **beyond},
        )
