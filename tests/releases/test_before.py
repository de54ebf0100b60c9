"""Which table of the release before a table's values are kept from."""

import numpy as np
from made_release import classification, hierarchy, rounded_tables

from releases.publish.before import PreviousTable, match_tables
from sdc.rounding.kept import Before
from sdc.tables import Table


def previous(unit: str, at: int) -> PreviousTable:
    made = rounded_tables()[at]
    before = Before(
        levels=hierarchy().levels,
        codes=hierarchy().codes,
        classification=classification(*made.dimensions),
        counts=made.true,
        values=made.shown,
    )
    return PreviousTable(unit=unit, before=before)


def table(at: int) -> Table:
    made = rounded_tables()[at]
    return Table(hierarchy=hierarchy(), classification=classification(*made.dimensions), counts=made.true)


def test_a_table_is_matched_by_its_dimensions_whatever_its_id() -> None:
    found = match_tables({"other": table(1)}, {"other": "claims"}, [previous("claims", 0), previous("claims", 1)])
    assert all(known.all() for known in found["other"].known)
    assert all(np.array_equal(a, b) for a, b in zip(found["other"].values, rounded_tables()[1].shown, strict=True))


def test_a_table_by_new_dimensions_has_the_totals_of_another() -> None:
    found = match_tables({"sex": table(1)}, {"sex": "claims"}, [previous("claims", 0)])
    assert all(known[:, -1].all() and not known[:, :-1].any() for known in found["sex"].known)


def test_claims_are_never_matched_with_people() -> None:
    assert match_tables({"sex": table(1)}, {"sex": "people"}, [previous("claims", 1)]) == {}
