"""Cost per cell of rounding and attack, from one authority through a region to the country."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bench.made import linked_tables
from bench.measure import Cost, in_child, runs_a_turn, shared
from bench.results import Row, per_cell_rows
from bench.tablework import AUTHORITIES, TYPICAL_AUTHORITY, attack_tables, cell_count, linked_places, round_tables
from sdc.tables import Table

__all__ = ["measure_linearity"]

ONE = "benefit"
WORK = {"round": "round_controlled", "attack": "audit_tables", "linked": "round_controlled, linked tables"}


def measure_linearity(folder: Path, repeats: int) -> list[Row]:
    """The three places take turns in one warmed process; ratios of cost per cell are medians over the turns."""
    (sizes, costs), _ = in_child(_turns, folder, repeats)
    return [
        row
        for work, label in WORK.items()
        for row in per_cell_rows(label, sizes[work], {place: costs[work, place] for place in sizes[work]})
    ]


def _turns(
    folder: Path, repeats: int
) -> tuple[dict[str, dict[str, tuple[int, int]]], dict[tuple[str, str], list[Cost]]]:
    """Per work and place its areas and cells; per work and place the cost of a run in each turn."""
    places = _places(linked_tables(folder))
    actions: dict[tuple[str, str], Callable[[], object]] = {}
    for place, parts in places.items():
        alone = [{ONE: tables[ONE]} for tables in parts]
        safe = [round_tables(tables) for tables in alone]
        actions["round", place] = partial(_one_after_another, round_tables, alone)
        actions["attack", place] = partial(_one_after_another, attack_tables, safe, alone)
        actions["linked", place] = partial(_one_after_another, round_tables, parts)
    # The first run of each, which may still compile, is for nothing; the second says how many make a turn.
    for action in actions.values():
        action()
    runs = {what: runs_a_turn(action, repeats) for what, action in actions.items()}
    costs: dict[tuple[str, str], list[Cost]] = {what: [] for what in actions}
    for _ in range(repeats):
        for what, action in actions.items():
            costs[what].append(shared(action, runs[what]))
    return {work: {place: _size(work, parts) for place, parts in places.items()} for work in WORK}, costs


def _one_after_another(work: Callable[..., object], *parts: Sequence[object]) -> None:
    for arguments in zip(*parts, strict=True):
        work(*arguments)


def _size(work: str, parts: Sequence[Mapping[str, Table]]) -> tuple[int, int]:
    """Areas and cells of all parts together."""
    counted = [table for tables in parts for name, table in tables.items() if work == "linked" or name == ONE]
    return sum(tables[ONE].hierarchy.units[0] for tables in parts), sum(map(cell_count, counted))


def _places(country: dict[str, Table]) -> dict[str, list[dict[str, Table]]]:
    return {
        "authority": linked_places(country, "lad", TYPICAL_AUTHORITY, AUTHORITIES),
        "region": linked_places(country, "rgn", None),
        "country": [country],
    }
