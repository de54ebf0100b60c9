"""Relations between the tables of one release: those honoured, and those refused until they are.

Tables of one release are rounded together, so that their totals are one
figure with one value.  Any other tie between them must be refused: drawn
apart, parts and wholes would give small counts away.
"""

from itertools import combinations

import pyarrow as pa

from claimants.dimensions import Dimension
from common.faults import Faults
from releases.spec import Release, TableSpec
from sdc.identity import Joint, coincidences, same_columns
from sdc.tables import Hierarchy

__all__ = ["refuse_relations", "refuse_same_figures"]

TELLING_RECORDS = 30


def refuse_relations(release: Release, dimensions: dict[str, dict[str, Dimension]], file: str) -> None:
    """Refuse what the release file asks for and cannot be honoured yet.

    `dimensions` gives, by table id, the table's dimensions by name.

    Raises
    ------
    InputError
        Claims beside people, people by a variable of the claim, or one
        variable in two tables; every such relation is told.
    """
    faults = Faults(file)
    counted = {release.counts(table) for table in release.table}
    if len(counted) > 1:
        faults.add(
            "relation",
            "some tables count claims and some people; each benefit <= people <= sum of benefits ties them, "
            "which is not honoured yet",
            "count the same in every table, and publish the other as a release of its own",
            key="table.count",
        )
    for table in release.table:
        _refuse_within(table, release.counts(table), dimensions[table.id], faults)
    for first, second in combinations(release.table, 2):
        _refuse_between(first, second, faults)
    faults.raise_if_any()


def _refuse_within(table: TableSpec, counted: str, dimensions: dict[str, Dimension], faults: Faults) -> None:
    for name, dimension in dimensions.items():
        if counted == "people" and dimension.of == "claim":
            faults.add(
                "relation",
                f"table '{table.id}' counts people by {name}: a person with two claims stands in two categories, so that "
                "people do not add up, which is not honoured yet",
                "count claims, or people by client_group",
                key=f"table.{table.id}.by",
            )
        if counted == "claims" and name == "client_group":
            faults.add(
                "relation",
                f"table '{table.id}' counts claims by client_group, which places persons",
                'set count = "people"',
                key=f"table.{table.id}.by",
            )


def _refuse_between(first: TableSpec, second: TableSpec, faults: Faults) -> None:
    shared = sorted(set(first.by) & set(second.by))
    if not shared and (first.by or second.by):
        return
    what = ", ".join(shared)
    if not first.by and not second.by:
        found = "are both totals alone: the same table twice"
    elif first.by == second.by and first.bands == second.bands:
        found = "are the same table twice"
    elif any(first.bands.get(name, "standard") != second.bands.get(name, "standard") for name in shared):
        found = f"show {what} in bands that overlap (parts and wholes of one another), which is not honoured yet"
    else:
        found = f"share {what} as a margin, which is not honoured yet"
    faults.add(
        "relation",
        f"tables '{first.id}' and '{second.id}' {found}",
        "keep one of them, or publish the other in a later release",
        key="table.by",
    )


def refuse_same_figures(
    cells: pa.Table, dimensions: dict[str, dict[str, Dimension]], hierarchy: Hierarchy, *, min_count: int, file: str
) -> tuple[str, ...]:
    """Refuse columns of two tables that hold the same records everywhere, under whatever names.

    `cells` are the caseload's finest cells.  Columns of fewer than
    `TELLING_RECORDS` records are told to the reviewer instead: chance alone
    makes such pairs.  Returns notices for the reviewer, also on single areas in
    which two cells happen to hold the same records.

    Raises
    ------
    InputError
        Two columns are one figure under two names.
    """
    tables = {id_: tuple(named) for id_, named in dimensions.items()}
    codes = {name: one.categories for named in dimensions.values() for name, one in named.items()}
    joint = Joint(
        area=cells["area"].to_numpy(),
        categories={name: cells[name].to_numpy() for name in codes},
        count=cells["count"].to_numpy(),
        codes=codes,
    )
    faults = Faults(file)
    notices = []
    for pair in same_columns(joint, tables):
        if pair.is_total:
            continue
        if pair.records < TELLING_RECORDS:
            notices.append(f"{pair.sentence()}; so few records that chance may explain it")
            continue
        faults.add("relation", pair.sentence(), "leave one of the two tables out", key="table.by")
    faults.raise_if_any()
    rows = coincidences(joint, tables, hierarchy=hierarchy, min_count=min_count)
    return (*notices, *(_coincidence(row) for row in rows if row["small"]))


def _coincidence(row: dict[str, object]) -> str:
    return (
        f"{row['first_table']} and {row['second_table']}, level {row['level']}: in {row['areas']:,} areas a cell of each holds "
        f"the same records by chance; {row['small']:,} such pairs are small and drawn apart, which published tables do not tell"
    )
