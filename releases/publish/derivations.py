"""The derived tables of a release: what they need is read with its other inputs, and they are made from what is published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from claimants.dimensions import Dimension
from common.faults import Faults, InputError
from releases.publish.denominators import Denominators, read_denominators
from releases.publish.estimates import read_estimates
from releases.publish.rates import rate_notices, rate_table
from releases.publish.spec import Release
from releases.publish.statspec import AreaFile
from reports.derived import DerivedTable
from reports.derivedwords import review_sentence
from reports.model import ReportTable
from reports.statements import window_words
from sdc.tables import NOT_AVAILABLE, Hierarchy

__all__ = ["NOTHING", "Supplied", "derive_tables", "read_supplied"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Supplied:
    """What a user supplies besides records: denominators by their id, tables of survey estimates, and what to say."""

    denominators: Mapping[str, Denominators]
    estimates: tuple[DerivedTable, ...]
    notices: tuple[str, ...]


NOTHING = Supplied(denominators={}, estimates=(), notices=())


def read_supplied(
    release: Release, hierarchy: Hierarchy, dimensions: Mapping[str, Mapping[str, Dimension]]
) -> Supplied:
    """Read denominators and estimates; `dimensions` gives those of each table, by table and name.

    Raises
    ------
    InputError
        With every fault of every file.
    """
    faults = Faults()
    denominators, estimates, notices = {}, [], []
    for spec in release.denominator:
        of = [rate.of for rate in release.rate if rate.denominator == spec.id]
        known = {name: one for id_ in of for name, one in dimensions[id_].items()}
        own = Faults(str(spec.path))
        try:
            found = read_denominators(spec, hierarchy, known, own)
        except InputError as error:
            own.extend(error)
        else:
            if found is not None:
                denominators[spec.id] = found
                notices += _left_out(spec, found.left_out)
        faults.found += own.found
    for estimate in release.estimate:
        own = Faults(str(estimate.path))
        try:
            read = read_estimates(estimate, hierarchy, own)
        except InputError as error:
            own.extend(error)
        else:
            if read is not None:
                estimates.append(read[0])
                notices += [*_left_out(estimate, read[1]), *_unknown(read[0])]
        faults.found += own.found
    faults.raise_if_any()
    return Supplied(denominators=denominators, estimates=tuple(estimates), notices=tuple(notices))


def derive_tables(
    release: Release, tables: Sequence[ReportTable], supplied: Supplied
) -> tuple[tuple[DerivedTable, ...], tuple[str, ...]]:
    """Rates from published tables, then the estimates; and what the reviewer is told of them.

    The tables that go in are the safe ones: no true count is within reach.
    """
    by_id = {table.id: table for table in tables}
    rates, notices = [], [*supplied.notices]
    for spec in release.rate:
        table = rate_table(spec, by_id[spec.of], supplied.denominators[spec.denominator], release.release.source)
        since = by_id[spec.of].since
        if since is not None:
            table = replace(table, period=window_words(since, release.release.reference_date))
        rates.append(table)
        notices += rate_notices(table, by_id[spec.of])
    if rates:
        notices.insert(0, review_sentence("rates", titles=_titles(rates)))
    if supplied.estimates:
        notices.append(review_sentence("estimates", titles=_titles(supplied.estimates)))
    return (*rates, *supplied.estimates), tuple(notices)


def _titles(tables: Sequence[DerivedTable]) -> str:
    return "; ".join(table.title for table in tables)


def _left_out(file: AreaFile, rows: int) -> list[str]:
    return [review_sentence("left_out", title=file.title, rows=f"{rows:,}")] if rows else []


def _unknown(table: DerivedTable) -> list[str]:
    told = []
    for level in table.levels:
        number = int((table.markers[level] == NOT_AVAILABLE).sum())
        if number:
            name = table.hierarchy.levels[level]
            told.append(review_sentence("no_estimate", title=table.title, areas=f"{number:,}", level=name))
    return told
