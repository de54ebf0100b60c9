"""The smallest areas that each table is published for.

A table of the caseload that stops at a level is drawn with all others, from the smallest areas up, so that its
totals are theirs; what lies below its level is then left out before anybody sees it, the attack included.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, Self, TypeVar

from releases.publish.protection import Protected
from releases.publish.spec import Release

__all__ = ["finest_levels", "from_levels", "protected_from"]


class _Levelled(Protocol):
    def from_level(self, level: int) -> Self: ...


L = TypeVar("L", bound=_Levelled)


def finest_levels(release: Release) -> dict[str, int]:
    """By table id the place of its smallest level among those of the release, 0 for the smallest."""
    names = [level.name for level in release.geography.level]
    return {table.id: names.index(table.finest) if table.finest else 0 for table in release.table}


def from_levels(tables: Mapping[str, L], levels: Mapping[str, int]) -> dict[str, L]:
    """What is left of each table at its smallest level and above."""
    return {id_: table.from_level(levels[id_]) for id_, table in tables.items()}


def protected_from(protected: Protected, levels: Mapping[str, int]) -> Protected:
    """Protected tables, and what is kept of the release before, at the smallest level of each and above."""
    return replace(protected, safe=from_levels(protected.safe, levels), earlier=from_levels(protected.earlier, levels))
