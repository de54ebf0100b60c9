"""Text of an extract as it is compared: the cheapest expressions that mean it.

A blank is a space.  Every engine spells the trimming of spaces alike, and it is
several times cheaper than the trimming of a list of signs.  Nothing here
replaces missing values first: that would keep DuckDB from working on each
different value of a column once.
"""

from typing import Any

import ibis

__all__ = ["as_code", "is_blank", "trimmed"]


@ibis.udf.scalar.builtin(name="trim")  # type: ignore[untyped-decorator]
def _trim(text: str) -> str:  # type: ignore[empty-body]
    """Text without spaces at its ends."""


def trimmed(column: Any) -> Any:
    """A column as text without blanks around it, for values that differ from row to row."""
    text = column.cast("string")
    return ibis.cases((text.contains(" "), _trim(text)), else_=text)


def as_code(column: Any) -> Any:
    """A column as a code: upper case, without blanks around it; missing stays missing."""
    return _trim(column.cast("string")).upper()


def is_blank(text: Any) -> Any:
    """Whether a trimmed text is missing or empty."""
    return text.isnull() | (text == "")
