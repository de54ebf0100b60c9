"""The option ``--date``: the day a command works for; the clock is read at this edge alone."""

import datetime as dt
from typing import Annotated

import typer

from common.faults import Fault, InputError

__all__ = ["Day", "day_of"]

Day = Annotated[str, typer.Option("--date", help="The day to work for, YYYY-MM-DD (default: today).")]


def day_of(text: str, today: dt.date) -> dt.date:
    """The day an option names, `today` where it names none (raises InputError where it is no date)."""
    if not text:
        return today
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        found = f"'{text}' is no date"
        raise InputError([Fault(kind="option", key="--date", found=found, mend="write it as YYYY-MM-DD")]) from None
