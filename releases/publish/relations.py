"""Relations between the tables of one release: those honoured, and those refused until they are.

Tables of one release are rounded together, so that their totals are one
figure with one value, and people stand between each benefit's claims and all.  Any other tie between them must be refused: drawn
apart, parts and wholes would give small counts away.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations, product

import numpy as np
import pyarrow as pa

from claimants.dimensions import Dimension
from common.faults import Faults
from releases.publish.flowtables import refuse_flows
from releases.publish.recodings import Recoding, recoding_of
from releases.publish.spec import Release, TableSpec
from sdc.identity import Joint, coincidences, same_columns
from sdc.tables import Hierarchy, Table

__all__ = ["refuse_relations", "refuse_same_figures", "refuse_same_numbers"]

TELLING_RECORDS = 30
TELLING_AREAS = 10


def refuse_relations(release: Release, dimensions: dict[str, dict[str, Dimension]], file: str) -> None:
    """Refuse what the release file asks for and cannot be honoured yet.

    `dimensions` gives, by table id, the table's dimensions by name.

    Raises
    ------
    InputError
        People by a variable of the claim, claims by one of the person beside people, one
        variable in two tables of one measure, unless in lists of bands that nest, or what cannot be asked of flows;
        every such relation is told.
    """
    faults = Faults(file)
    if release.counts_both:
        _refuse_beside(release, dimensions, faults)
    for table in release.table:
        _refuse_within(table, release.counts(table), dimensions[table.id], faults)
    for first, second in combinations(release.table, 2):
        if (release.counts(first), first.measure) == (release.counts(second), second.measure):
            _refuse_between(first, second, recoding_of(release, dimensions), faults)
    if recoding_of(release, dimensions) is not None:
        _refuse_beside_recodes(release, faults)
    refuse_flows(release, dimensions, faults)
    faults.raise_if_any()


def _refuse_beside_recodes(release: Release, faults: Faults) -> None:
    """Refuse what bands inside bands cannot be drawn with."""
    clashes = {
        "table.count": ("people beside claims", release.counts_both),
        "protection.method": (release.protection.method, release.protection.method != "controlled-rounding"),
    }
    for key, (what, asked) in clashes.items():
        if asked:
            faults.add(
                "relation",
                f"tables of one variable in two lists of bands do not go with {what} yet",
                "keep the table of one list",
                key=key,
            )


def _refuse_beside(release: Release, dimensions: dict[str, dict[str, Dimension]], faults: Faults) -> None:
    """Refuse what people beside claims cannot be drawn with."""
    rules = release.protection
    if rules.method != "controlled-rounding":
        faults.add(
            "relation",
            f"people beside claims are not drawn together by {rules.method}",
            "use controlled-rounding, or publish one of the two",
            key="protection.method",
        )
    if rules.width is not None and rules.width > rules.base - 1:
        faults.add(
            "relation",
            f"a width of {rules.width} cannot be promised of people beside claims, which narrow each other",
            f"promise {rules.base - 1}, the base less 1, or less",
            key="protection.width",
        )
    for table in release.table:
        if release.counts(table) == "people" and "benefit_combination" in table.by:
            faults.add(
                "relation",
                f"table '{table.id}' counts people by benefit_combination beside claims: each combination says how many "
                "claims its people have at least, and those of a benefit add up to its claims, which is not honoured yet",
                "leave one of the two out, or count people in a release of its own",
                key=f"table.{table.id}.by",
            )
    claims = [table for table in release.table if release.counts(table) == "claims"]
    for table in claims:
        _refuse_claims_beside(table, dimensions[table.id], faults)
    if any("benefit" in table.by for table in claims):
        for table in release.table:
            if release.counts(table) == "people" and "client_group" in table.by:
                faults.add(
                    "relation",
                    f"table '{table.id}' counts people by client_group beside claims by benefit: a group of one benefit "
                    "is that benefit's figure under another name",
                    "leave one of the two tables out",
                    key=f"table.{table.id}.by",
                )


def _refuse_claims_beside(table: TableSpec, dimensions: dict[str, Dimension], faults: Faults) -> None:
    for name, dimension in dimensions.items():
        if dimension.of == "person" and not dimension.of_all_claims:
            faults.add(
                "relation",
                f"table '{table.id}' counts claims by {name} beside people: of each category's claims and people one would "
                "bound the other, which is not honoured yet",
                f'set count = "people" to count people by {name}, or count people in a release of its own',
                key=f"table.{table.id}.by",
            )
    if "benefit" in table.by and len(table.by) > 1:
        faults.add(
            "relation",
            f"table '{table.id}' counts claims by {', '.join(table.by)} beside people: each benefit's sum in it would be "
            "bounded by the people, which is not honoured yet",
            "count claims by benefit in a table of its own",
            key=f"table.{table.id}.by",
        )


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
        if counted == "claims" and dimension.of_all_claims:
            faults.add(
                "relation",
                f"table '{table.id}' counts claims by {name}, which places persons",
                'set count = "people"',
                key=f"table.{table.id}.by",
            )


def _refuse_between(first: TableSpec, second: TableSpec, recoding: Recoding | None, faults: Faults) -> None:
    shared = sorted(set(first.by) & set(second.by))
    tied = ("client_group", "benefit_combination")
    if any(one in first.by and other in second.by for one, other in (tied, tied[::-1])):
        faults.add(
            "relation",
            f"tables '{first.id}' and '{second.id}' show client_group and benefit_combination: a group is made up of "
            "combinations, which is not honoured yet",
            "keep one of them, or publish the other in a later release",
            key="table.by",
        )
        return
    if not shared and (first.by or second.by):
        return
    if recoding is not None and {first.id, second.id} <= set(recoding.bands):
        return
    what = ", ".join(shared)
    if not first.by and not second.by:
        found = "are both totals alone: the same table twice"
    elif first.by == second.by and first.bands == second.bands:
        found = "are the same table twice"
    elif any(first.bands.get(name, "standard") != second.bands.get(name, "standard") for name in shared):
        found = (
            f"show {what} in different bands (parts and wholes of one another), which is honoured of one variable alone, "
            "told by nothing else, in lists that nest"
        )
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


def refuse_same_numbers(claims: Mapping[str, Table], people: Mapping[str, Table], *, file: str) -> tuple[str, ...]:
    """Refuse a column of claims that has the numbers of a column of people in every smallest area.

    If nobody has two claims, claims and people are one figure; if everybody claims one benefit, so are that
    benefit and people. Drawn as two figures, each would narrow the other for whoever knows.
    Where there are fewer than `TELLING_RECORDS` records or `TELLING_AREAS` areas that are not
    empty, chance may explain it, and the reviewer is told. Returns these notices.

    Raises
    ------
    InputError
        Two columns are one figure under two names.
    """
    faults = Faults(file)
    notices = []
    for (first, mine), (second, theirs) in product(_columns(claims), _columns(people)):
        if not np.array_equal(mine, theirs) or not mine.any():
            continue
        what = f"{first} and {second} have the same numbers in every area"
        if mine.sum() < TELLING_RECORDS or np.count_nonzero(mine) < TELLING_AREAS:
            notices.append(f"{what}; so few that chance may explain it")
        else:
            faults.add(
                "relation",
                f"{what}: they are one figure under two names",
                "leave one of the two tables out, or count claims or people alone",
                key="table.count",
            )
    faults.raise_if_any()
    return tuple(notices)


def _columns(tables: Mapping[str, Table]) -> Iterator[tuple[str, np.ndarray]]:
    """Every column of the smallest areas with its name; the total of the first table alone."""
    for place, (name, table) in enumerate(tables.items()):
        for column, category in enumerate(table.classification.columns):
            total = column == len(table.classification)
            if not total or not place:
                told = "the total" if total else f"column ({', '.join(category)})"
                yield f"{told} of table ({name})", table.counts[0][:, column]


def _coincidence(row: dict[str, object]) -> str:
    return (
        f"{row['first_table']} and {row['second_table']}, level {row['level']}: in {row['areas']:,} areas a cell of each holds "
        f"the same records by chance; {row['small']:,} such pairs are small and drawn apart, which published tables do not tell"
    )
