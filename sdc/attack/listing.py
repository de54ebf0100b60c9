"""How findings are listed: the first of a kind in full, all of them counted."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sdc.findings import Audit, Finding

__all__ = ["MOST_LISTED", "listed", "several"]

MOST_LISTED = 20
# Names in a sentence; more are counted.
MOST_NAMED = 4

Hit = TypeVar("Hit")


def several(names: Sequence[str], *, joint: str = ", ") -> str:
    """The first names, and how many more there are.

    >>> several(["a", "b", "c", "d", "e", "f"])
    'a, b, c, d and 2 more'
    """
    left = len(names) - MOST_NAMED
    return joint.join(names[:MOST_NAMED]) + (f" and {left:,} more" if left > 0 else "")


def listed(
    table: str, kind: str, hits: Sequence[Hit], tell: Callable[[Hit], Finding], number: int | None = None
) -> Audit:
    """Tell the first `MOST_LISTED` hits; `number` is how many there are, where `hits` holds the first ones only."""
    number = len(hits) if number is None else number
    figures: dict[str, object] = {f"{table}: {kind}": number}
    if number > MOST_LISTED:
        figures[f"{table}: {kind}, not listed"] = number - MOST_LISTED
    return Audit(findings=tuple(tell(hit) for hit in hits[:MOST_LISTED]), figures=figures)
