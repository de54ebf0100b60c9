"""The attack on one protected table, with everything that a reader has besides it."""

from collections.abc import Sequence
from pathlib import Path

from common.progress import SILENT, Progress
from releases.asked import Protected
from releases.known import read_known
from releases.publictables import bounds_from, read_already_public, refuse_relations, tell_contradictions
from releases.published import Published
from releases.said import Defaults
from sdc.attack.intervals import Intervals
from sdc.attack.judge import audit_tables
from sdc.findings import Audit
from sdc.tables import Method, SafeTable, Table

__all__ = ["as_counted", "audit_protected", "known_besides", "public_beside"]


def public_beside(
    table: Table, paths: Sequence[Path], known: Path | None, *, nest: tuple[str, ...], count: str, name: str
) -> tuple[Published, ...]:
    """Tables of the same people that are already public; `name` is what faults call the table itself.

    Raises
    ------
    InputError
        A file cannot be read, nobody says how it was made, its relation to the table
        is not honoured yet, or its figures cannot be true of the counts.
    """
    if not paths:
        return ()
    defaults = Defaults(nest=nest, count=count)
    public = read_already_public(paths, read_known(known) if known else (), table, defaults)
    refuse_relations({name: as_counted(table), **{str(one.said.path): one.safe for one in public}})
    tell_contradictions(table, public)
    return public


def as_counted(table: Table, *, min_count: int = 2) -> SafeTable:
    """The true table in the form that published ones are held against; it is never written."""
    method = Method(name="exact", base=1, min_count=min_count)
    return SafeTable(hierarchy=table.hierarchy, classification=table.classification, values=table.counts, method=method)


def known_besides(protected: Protected, public: Sequence[Published]) -> Intervals | None:
    """What the attacker knows besides the values: what the table's marks tell, and what is already public."""
    known = bounds_from(public, protected.safe) if public else None
    if protected.told is None or known is None:
        return protected.told if known is None else known
    return known.intersected(protected.told)


def audit_protected(
    protected: Protected,
    truth: Table,
    *,
    name: str,
    min_count: int,
    sensitive: tuple[str, ...] = (),
    public: Sequence[Published] = (),
    progress: Progress = SILENT,
) -> Audit:
    """Attack a protected table with all that a reader has, and judge it by its true small counts.

    A count x is small where 1 <= x <= min_count - 1.
    """
    known = known_besides(protected, public)
    audit = audit_tables(
        {name: protected.safe},
        min_count=min_count,
        known={} if known is None else {name: known},
        truth={name: truth},
        sensitive=sensitive,
        progress=progress,
    )
    if protected.attack is not None:
        audit = audit.joined(protected.attack(known))
    if not public:
        return audit
    files = ", ".join(one.said.path.name for one in public)
    return audit.joined(
        Audit(
            checked=(f"what is already public: {files}, as bounds on the figures they share with this table",),
            not_checked=("what the public tables say together beyond the figures they share with this one",),
        )
    )
