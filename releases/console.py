"""What a command says: progress on a terminal, faults one a line, or one JSON object.

Standard output carries the answer, standard error everything else.  No
traceback reaches a user unless the fault is ours, and even then none that
shows values.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from common.faults import Fault, Infeasible, InputError, fault_lines
from common.progress import SILENT
from common.progress import Progress as Reporter
from releases.outcome import Refused
from releases.software import software_version
from sdc.findings import Audit, Finding

if TYPE_CHECKING:
    from sdc.mends.trying import Mend

__all__ = ["Outcome", "mend_lines", "run", "shown_progress"]

FINDINGS_SHOWN = 20
# Exit code of our own failures (EX_SOFTWARE of sysexits.h), apart from 0 to 3, which say how a task went.
OUR_FAULT = 70
WITHHELD = "what can be proven is told in the private file that --report names, for it may be a small count"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did: `verdict` in a few words, lines for a reader, what it found, checked and wrote.

    `listed` is what a command lists, by the key it stands under in the JSON answer.
    """

    verdict: str
    lines: tuple[str, ...] = ()
    listed: dict[str, Any] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    audit: Audit = field(default_factory=Audit)
    written: tuple[Path, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 where the audit found the thing unsafe, else 0."""
        return 0 if self.audit.safe else 1


@dataclass(frozen=True, kw_only=True)
class _Told:
    exit_code: int
    verdict: str
    outcome: Outcome | None = None
    faults: tuple[Fault, ...] = ()
    findings: tuple[Finding, ...] = ()
    message: str = ""


def run(command: str, body: Callable[[], Outcome], *, as_json: bool) -> int:
    """Run a command and tell how it went; returns the exit code."""
    try:
        outcome = body()
        told = _Told(
            exit_code=outcome.exit_code, verdict=outcome.verdict, outcome=outcome, findings=outcome.audit.findings
        )
    except InputError as error:
        told = _Told(exit_code=2, verdict="wrong input", faults=error.faults)
    except Infeasible as error:
        told = _Told(exit_code=3, verdict="no solution", message=str(error))
    except Refused as error:
        told = _refused(error)
    except MemoryError:
        fault = Fault(
            kind="memory", found="memory does not suffice", mend="use a machine with more, or fewer tables at once"
        )
        told = _Told(exit_code=2, verdict="wrong input", faults=(fault,))
    except Exception as error:
        # A fault of ours. Its message may hold a value of the data, so that only its place is told.
        told = _Told(exit_code=OUR_FAULT, verdict="failed", message=_our_fault(error))
    if as_json:
        _tell_json(command, told)
    else:
        _tell(told)
    return told.exit_code


def _our_fault(error: Exception) -> str:
    """Kind and place of an error that no user can mend, without its message or any value."""
    steps = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps[-4:]))
    return (
        f"smallarea itself has failed ({type(error).__name__} at {place}): nothing was written; please report this line"
    )


def _refused(error: Refused) -> _Told:
    """What was not written may not be told either: what could be proven of a true count stands in the report alone."""
    audit = error.outcome.audit or Audit()
    found = tuple(replace(one, interval=None, witness=WITHHELD) if one.interval else one for one in audit.findings)
    outcome = Outcome(
        verdict="not safe",
        notices=(*error.outcome.notices, *mend_lines(error.outcome.mends)),
        audit=audit,
        written=error.outcome.written,
    )
    return _Told(exit_code=1, verdict="not safe", outcome=outcome, findings=found, message=str(error))


def mend_lines(mends: "Sequence[Mend]") -> tuple[str, ...]:
    """What a reader is told of mends: those that pass, or that none of those tried does."""
    if not mends:
        return ()
    passing = tuple(f"This would pass: {mend.sentence}" for mend in mends if mend.passes)
    return passing or ("None of the mends that were tried passes; the file of --report says which they are",)


def shown_progress(stream: TextIO | None = None) -> Reporter:
    """Progress drawn on a terminal; silent anywhere else."""
    stream = sys.stderr if stream is None else stream
    return _Terminal(stream) if stream.isatty() else SILENT


class _Terminal:
    """One line that says what is being done and since when; steps done stay above it."""

    def __init__(self, stream: TextIO) -> None:
        self._progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=Console(file=stream),
        )
        self._task: int | None = None
        self._started = time.monotonic()

    def step(self, name: str, total: int | None = None) -> None:
        """Close the step before and begin this one."""
        self._close()
        if self._task is None:
            self._progress.start()
        label = name[:1].upper() + name[1:]
        self._task = self._progress.add_task(label, total=total)

    def advance(self, parts: int = 1) -> None:
        """Move the bar of the present step."""
        if self._task is not None:
            self._progress.advance(self._progress.task_ids[-1], parts)

    def finish(self) -> None:
        """Close the last step and let go of the terminal."""
        self._close()
        self._progress.stop()

    def _close(self) -> None:
        if self._task is not None:
            last = self._progress.tasks[-1]
            total = last.total or 1
            self._progress.update(last.id, total=total, completed=total)


def _tell(told: _Told) -> None:
    error = sys.stderr
    for line in fault_lines(told.faults):
        print(line, file=error)
    if told.message:
        print(told.message, file=error)
    lines = told.outcome.lines if told.outcome is not None else ()
    if told.findings and lines:
        print(lines[0], flush=True)  # what was found comes before what proves it, also where both streams are one
        lines = lines[1:]
    shown = _some_of_each_kind(told.findings)
    for finding in shown:
        print(_finding_line(finding), file=error)
    more = len(told.findings) - len(shown) + _not_listed(told)
    if more:
        print(f"and {more:,} more {'finding' if more == 1 else 'findings'}", file=error)
    if told.outcome is None:
        return
    for notice in told.outcome.notices:
        print(f"Note: {notice}", file=error, flush=True)
    for line in lines:
        print(line)


def _some_of_each_kind(findings: Sequence[Finding]) -> list[Finding]:
    """At most `FINDINGS_SHOWN`, in their order, of every kind as many as of any other while there are so many."""
    kinds: dict[str, list[int]] = {}
    for at, finding in enumerate(findings):
        kinds.setdefault(finding.kind, []).append(at)
    ranks = sorted((rank, at) for places in kinds.values() for rank, at in enumerate(places))
    return [findings[at] for at in sorted(at for _, at in ranks[:FINDINGS_SHOWN])]


def _not_listed(told: _Told) -> int:
    """How many findings the audit counted and did not list."""
    figures = told.outcome.audit.figures if told.outcome is not None else {}
    numbers = [value for name, value in figures.items() if name.endswith(", not listed")]
    return sum(value for value in numbers if isinstance(value, int))


def _finding_line(finding: Finding) -> str:
    named = finding.cell.partition(": ")[0] in finding.table.split(", ")  # the cell says itself of which of them it is
    where = ", ".join(part for part in (() if named else (finding.table,)) + (finding.cell,) if part)
    interval = ""
    if finding.interval is not None:
        low, high = finding.interval
        interval = f" [{low}, {'no bound' if high is None else high}]"
    kind = finding.kind if finding.kind == finding.severity else f"{finding.severity}: {finding.kind}"
    return f"{kind}: {where}{interval}: {finding.witness}"


def _tell_json(command: str, told: _Told) -> None:
    outcome = told.outcome
    audit = outcome.audit if outcome else Audit()
    for notice in outcome.notices if outcome else ():
        print(f"Note: {notice}", file=sys.stderr)
    if told.message:
        print(told.message, file=sys.stderr)
    answer = {
        "command": command,
        "version": software_version(),
        "exit_code": told.exit_code,
        "verdict": told.verdict,
        "faults": [
            {"file": f.file, "row": f.row, "column": f.column, "key": f.key, "found": f.found, "mend": f.mend}
            for f in told.faults
        ],
        "findings": [finding.as_dict() for finding in told.findings],
        "checked": list(audit.checked),
        "not_checked": list(audit.not_checked),
        "written": [str(path) for path in (outcome.written if outcome else ())],
        **(outcome.listed if outcome else {}),
    }
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
