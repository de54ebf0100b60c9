"""The erasure rule: records that were erased at the wish of the person are never counted.

An erased record keeps its row but not its person: surname and forename
``DELETED``, birth date 01/01/1901, blank National Insurance number, address and
telephone, status ``Inactive``, employment status ``Not Known``.  The first
three cannot be true of a living claimant, so that any *one* of them says that
the record was erased, even where the erasure stopped half-way.  The others are
also true of records that were not erased; they are read only from an extract
that has none of the first three, and then say so only all together.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import ibis

from claimants.dictionary import Field, shipped_dictionary
from claimants.dimensions import normal_code
from claimants.extract import Need
from claimants.text import as_code, is_blank

__all__ = ["NOT_ERASED", "PARTLY", "WHOLLY", "erasure_needs", "erasure_of", "weak_erasure_needs"]

NOT_ERASED, PARTLY, WHOLLY = range(3)
# What an extract must have for the weaker signs to be taken together.
ALWAYS_WEAK = ("status", "employment_status")


def erasure_needs() -> tuple[Need, ...]:
    """The fields of the decisive signs, none of them required."""
    return tuple(_need(field) for field in shipped_dictionary().erasure_signs(decisive=True))


def weak_erasure_needs() -> tuple[Need, ...]:
    """The fields of the other signs, for extracts without a decisive one."""
    return tuple(_need(field) for field in shipped_dictionary().erasure_signs(decisive=False))


def _need(field: Field) -> Need:
    return Need(field=field.name, purpose="erasure", required=False, date=field.name == "birth_date")


def erasure_of(part: Any) -> Any:
    """How far each row of a part of an extract was erased: an expression of 0, 1 or 2.

    `NOT_ERASED`; `PARTLY`: some decisive sign holds and another that the part
    has does not; `WHOLLY`: all that the part has hold.
    """
    dictionary = shipped_dictionary()
    decisive = [_holds(part, field) for field in dictionary.erasure_signs(decisive=True) if field.name in part.columns]
    if decisive:
        return ibis.cases((_all(decisive), WHOLLY), (_any(decisive), PARTLY), else_=NOT_ERASED).cast("int8")
    weak = [field for field in dictionary.erasure_signs(decisive=False) if field.name in part.columns]
    if not {field.name for field in weak}.issuperset(ALWAYS_WEAK):
        return ibis.literal(NOT_ERASED, type="int8")
    signs = [_holds(part, field) for field in weak]
    return ibis.cases((_all(signs), WHOLLY), else_=NOT_ERASED).cast("int8")


def _holds(part: Any, field: Field) -> Any:
    column = part[field.name]
    if column.type().is_date() or column.type().is_timestamp():
        days = [dt.date.fromisoformat(sign) for sign in field.erased if sign[4:5] == "-"]
        return column.cast("date").isin(days)
    text = as_code(column)
    return _any([is_blank(text) if sign == "" else text == normal_code(sign) for sign in field.erased])


def _all(signs: Sequence[Any]) -> Any:
    both = signs[0]
    for sign in signs[1:]:
        both = both & sign
    return both


def _any(signs: Sequence[Any]) -> Any:
    either = signs[0]
    for sign in signs[1:]:
        either = either | sign
    return either
