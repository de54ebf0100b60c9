"""Small files read as pieces of one attack, and what tests look at of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from counts_files import AREAS

from common.faults import InputError
from releases.attack.known import Known, read_all_known
from releases.attack.pieces import Read, read_pieces
from releases.attack.said import Defaults
from sdc.attack.jointly import audit_pieces
from sdc.attack.pieces import Piece
from sdc.findings import Audit

LEVELS = ("oa", "lsoa", "lad")


def read(folder: Path, *, known: str = "", truth: Path | None = None, public: Sequence[str] = (), **files: str) -> Read:
    """Read texts as ``<name>.csv`` over the test's areas, as exact figures unless said otherwise."""
    if not (folder / "areas.csv").exists():
        (folder / "areas.csv").write_text(AREAS)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "known.toml").write_text(known)
    told = read_all_known(folder / "known.toml") if known else Known()
    defaults = Defaults(nest=LEVELS, areas=folder / "areas.csv", method="exact")
    names = {name: folder / f"{name}.csv" for name in files}
    attacked = [path for name, path in names.items() if name not in public]
    return read_pieces(attacked, told, defaults, truth=truth, public=[names[name] for name in public])


def audit(found: Read, **options: object) -> Audit:
    return audit_pieces(
        [*found.pieces, *found.public_pieces],
        min_count=found.min_count,
        overlaps=found.overlaps,
        within=found.within,
        flows=found.flows,
        **options,  # type: ignore[arg-type]
    )


def pinned(found: Read) -> dict[str, tuple[int, int | None] | None]:
    """Intervals of the findings of disclosure, by what the cell is called behind the table's name."""
    return {
        finding.cell.partition(": ")[2] or finding.cell: finding.interval
        for finding in audit(found).findings
        if finding.severity == "disclosure"
    }


def faults(folder: Path, **options: object) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as caught:
        read(folder, **options)  # type: ignore[arg-type]
    return [(fault.kind, fault.key or fault.column) for fault in caught.value.faults]


def value_at(piece: Piece, area: str, *codes: str) -> tuple[int, int]:
    """What a piece says of one cell: lo and hi; ``Total`` is the last place of a dimension."""
    levels = [np.flatnonzero(level == area) for level in piece.axes[0].hierarchy.codes]
    level = next(number for number, hits in enumerate(levels) if len(hits))
    place = [int(piece.axes[0].starts[level] + levels[level][0])]
    for axis, code in zip(piece.axes[1:], codes, strict=True):
        every = [*np.concatenate(axis.hierarchy.codes).tolist(), "Total"]
        place.append(every.index(code))
    return int(piece.lo[tuple(place)]), int(piece.hi[tuple(place)])
