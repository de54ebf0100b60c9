"""The attack on one protected table, with everything that a reader has besides it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common.progress import SILENT, Progress
from releases.attack.attacking import attack_targets, targets_of, with_ours
from releases.attack.known import Known, read_all_known
from releases.attack.piecefiles import PieceFile
from releases.attack.pieces import Read, read_pieces
from releases.attack.publictables import bounds_from, tell_contradictions
from releases.attack.published import Published
from releases.attack.said import Defaults
from releases.attack.unwritten import as_counted, cells_as_counted, unwritten_cells, unwritten_table
from releases.protect.asked import Asked, Protected, ProtectedCells
from releases.protect.cubes import audit_cube
from sdc.attack.intervals import Intervals
from sdc.cube import Cube
from sdc.findings import Audit
from sdc.tables import Table

__all__ = ["Beside", "audit_protected", "audit_protected_cells", "known_besides", "read_beside"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Beside:
    """What the readers of one table have besides it, read with the true table in its place."""

    path: Path
    read: Read
    public: tuple[Published, ...]
    names: tuple[str, ...]

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know of how it was read."""
        return self.read.notices

    def known(self, table: Table) -> Intervals | None:
        """Bounds on the table's cells from networks that count the same; None where there are none."""
        return bounds_from(self.public, as_counted(table)) if self.public else None


def read_beside(
    table: Table | Cube, path: Path, public: Sequence[Path], known: Path | None, *, nest: tuple[str, ...], count: str
) -> Beside:
    """Tables of the same people that are already public; `path` is where the table itself will stand.

    Raises
    ------
    InputError
        A file cannot be read, nobody says how it was made or how it lies on the table, or its figures cannot be
        true of the counts.
    """
    given = (
        unwritten_table(path, as_counted(table), truth=table)
        if isinstance(table, Table)
        else unwritten_cells(path, table, cells_as_counted(table))
    )
    read = read_pieces(
        (),
        read_all_known(known) if known is not None and public else Known(),
        Defaults(nest=nest, count=count),
        public=public,
        given=[given],
        refused=("categories",),
        min_count=2,
    )
    (own,) = read.pieces
    alike = tuple(
        read.public[one.name] for one in read.public_pieces if one.name in read.public and one.measure == own.measure
    )
    if isinstance(table, Table):
        tell_contradictions(table, alike)
    return Beside(path=path, read=read, public=alike, names=tuple(file.name for file in public))


def known_besides(protected: Protected, public: Sequence[Published]) -> Intervals | None:
    """What the attacker knows besides the values: what the table's marks tell, and what is already public."""
    known = bounds_from(public, protected.safe) if public else None
    if protected.told is None or known is None:
        return protected.told if known is None else known
    return known.intersected(protected.told)


def audit_protected(
    protected: Protected,
    truth: Table,
    beside: Beside,
    *,
    min_count: int,
    sensitive: tuple[str, ...] = (),
    progress: Progress = SILENT,
) -> Audit:
    """Attack a protected table with all that a reader has, and judge it by its true small counts.

    A count x is small where 1 <= x <= min_count - 1.
    """
    ours = unwritten_table(beside.path, protected.safe, known=protected.told, truth=truth)
    audit = _attacked(beside, ours, min_count, sensitive, progress)
    if protected.attack is not None:
        audit = audit.joined(protected.attack(known_besides(protected, beside.public)))
    return audit


def audit_protected_cells(cube: Cube, protected: ProtectedCells, asked: Asked, beside: Beside) -> Audit:
    """Attack a protected table with several margins: by itself, and with what is already public."""
    audit = audit_cube(cube, protected, asked)
    if not beside.names:
        return audit
    ours = unwritten_cells(beside.path, cube, protected.cells)
    return audit.joined(_attacked(beside, ours, asked.settings.min_count, asked.sensitive, asked.progress))


def _attacked(beside: Beside, ours: PieceFile, min_count: int, sensitive: tuple[str, ...], progress: Progress) -> Audit:
    read = replace(with_ours(beside.read, [ours]), min_count=min_count)
    audit = attack_targets(read, targets_of(read), sensitive=sensitive, progress=progress)
    if not beside.names:
        return audit
    return audit.joined(Audit(checked=(f"what is already public: {', '.join(beside.names)}",)))
