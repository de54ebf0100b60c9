"""People who are in no area's figures: under special protection, or claiming nothing.

**Special protection** is of the person.  A person is marked if any of their rows is, whatever
else that row says: ended, erased or faulty.  All their live rows then go to the bucket
"specially protected", and to no area.  A blank is no mark, and neither is "no" or "not stated" in
one of the spellings of data/markers.toml; anything else is a mark, for what nobody can read
may be one.

**Claiming nothing** is said by a row whose benefit is one of the spellings of data/no_benefit.toml.
Such a row is of no claim; its dates are those of the registration.  Without recorded consent to be held on
the reference date it goes to the bucket "no consent to be held"; with it, to
"no benefit claimed", unless people who claim nothing are asked for.
"""

from typing import Any

import ibis

from claimants.consentrows import hold_needs
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec, Need
from claimants.text import as_code, is_blank

__all__ = ["PROTECTION", "marked", "protection_needs", "with_protected"]

PROTECTION = "special_protection"


def protection_needs() -> list[Need]:
    """The fields that keep people out of the figures, read where an extract has them and only there."""
    return [Need(field=PROTECTION, purpose="counting", required=False), *hold_needs()]


def marked(part: Any, spec: ExtractSpec) -> Any:
    """Whether each row of a part of an extract is marked as specially handled: never missing."""
    if PROTECTION not in part.columns:
        return ibis.literal(False)
    marker = dimension("offending_marker")
    own = spec.values.get(PROTECTION, {})
    unmarked = [text for text, index in marker.spellings.items() if marker.categories[index] != "Y"]
    unmarked += [as_written.strip(" ").upper() for as_written, code in own.items() if code in ("N", "U")]
    text = as_code(part[PROTECTION])
    return ~(text.isnull() | text.isin(unmarked))


def with_protected(rows: Any, source: Any) -> Any:
    """Rows with a column `protected`: whether any row of the person is marked.

    `source` is the same rows (`person`, `marked`) before anything was joined to them, which keeps the query short.
    """
    persons = source.filter(source.marked & ~is_blank(source.person)).select(handled=source.person).distinct()
    joined = rows.left_join(persons, rows.person == persons.handled)
    return joined.mutate(protected=joined.handled.notnull()).drop("handled")
