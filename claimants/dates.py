"""Dates of an extract: reading them without guessing, and exact ages and durations.

`whole_months_before` carries the one rule for ages and durations.  A day of the
month that the earlier month lacks is taken as that month's last day, which
makes "date <= cut-off" the same as "so many whole months are over" when months
are counted by comparing days of the month.  Somebody born on 29 February
therefore turns a year older on 1 March of a common year.
"""

import calendar
import datetime as dt
from typing import Any

import ibis

from claimants.text import is_blank, trimmed

__all__ = ["DATE_FORMS", "FIRST_DAY", "as_date", "whole_months_before"]

DATE_FORMS = ("iso", "day-first")
FIRST_DAY, LAST_DAY = dt.date.min, dt.date.max


def whole_months_before(day: dt.date, months: int) -> dt.date:
    """The latest date from which `months` whole months are over on `day`.

    A date `start` has at least `months` whole months on `day` if and only if
    start <= whole_months_before(day, months).

    >>> whole_months_before(dt.date(2026, 5, 31), 3)
    datetime.date(2026, 2, 28)
    >>> whole_months_before(dt.date(2025, 2, 28), 12)
    datetime.date(2024, 2, 28)
    """
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    if year < 1:
        return FIRST_DAY
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def as_date(column: Any, form: str) -> tuple[Any, Any]:
    """A column as a date, and whether it is blank: two expressions.

    Text is a date only in the declared form and only if the calendar has it:
    YYYY-MM-DD (`iso`) or DD/MM/YYYY (`day-first`), years 0001 to 9999.  What is
    neither blank nor a date of these years comes back as a missing date that is not blank.
    """
    if column.type().is_date() or column.type().is_timestamp():
        day = column.date() if column.type().is_timestamp() else column
        return ibis.cases((day.between(FIRST_DAY, LAST_DAY), day), else_=None), column.isnull()
    text = trimmed(column)
    if form == "iso":
        shape, iso = "____-__-__", text
    else:
        shape = "__/__/____"
        iso = text.substr(6, 4) + "-" + text.substr(3, 2) + "-" + text.substr(0, 2)
    # The shape comes first because casts of engines take more forms than ours: with a digit at either end of it
    # nothing is left of them (tabs and line ends around, T and a time behind) but the year 0, which the first day keeps out.
    digits = (iso >= "0") & iso.substr(9, 1).between("0", "9")
    date = ibis.cases((text.like(shape) & digits, iso.try_cast("date")), else_=None)
    return ibis.cases((date >= ibis.literal(FIRST_DAY), date), else_=None), is_blank(text)
