"""Text of an extract as it is compared: the cheapest expressions that mean it.

Codes of lists are compared without blanks of any width around them, in capitals; person references and
dates, whose values differ from row to row, without spaces around them.  The cheap
ways to say either are several times cheaper than the trimming of a list of signs.  Nothing here
replaces missing values first: that would keep DuckDB from working on each
different value of a column once.

Capitals are those of one letter for one: `ß` becomes `ẞ` and `ﬁ` stays, where Python and Spark
would write `SS` and `FI`.  `CAPITALS` lists the letters of which they differ; a test holds both engines and Python to
the same for every character there is.
"""

from typing import Any

import ibis

__all__ = ["BLANKS", "CAPITALS", "as_code", "code_of", "is_blank", "trimmed"]

BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""The space and the blanks of other widths (Unicode's space separators): what `trim` of DuckDB takes off."""

# Capitals of several letters, and those of letters that Unicode had no capitals for before its version 16.
_STAY = (
    "\u0149\u019b\u01f0\u0264\u0390\u03b0\u0587\u1c8a\u1e96\u1e97\u1e98\u1e99\u1e9a\u1f50\u1f52\u1f54\u1f56"
    "\u1fb2\u1fb4\u1fb6\u1fb7\u1fbc\u1fc2\u1fc4\u1fc6\u1fc7\u1fcc\u1fd2\u1fd3\u1fd6\u1fd7\u1fe2\u1fe3\u1fe4\u1fe6\u1fe7"
    "\u1ff2\u1ff4\u1ff6\u1ff7\u1ffc\ua7cd\ua7db\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06\ufb13\ufb14\ufb15\ufb16\ufb17"
)
CAPITALS = (
    {letter: letter for letter in (*_STAY, *map(chr, range(0x10D70, 0x10D86)))}
    | {"\u00df": "\u1e9e", "\u1fb3": "\u1fbc", "\u1fc3": "\u1fcc", "\u1ff3": "\u1ffc"}
    | {chr(letter): chr(letter | 8) for letter in range(0x1F80, 0x1FB0)}
)


@ibis.udf.scalar.builtin(name="trim")  # type: ignore[untyped-decorator]
def _trim(text: str) -> str:  # type: ignore[empty-body]
    """Text without `BLANKS` at its ends."""


@ibis.udf.scalar.builtin(name="trim")  # type: ignore[untyped-decorator]
def _trim_signs(text: str, signs: str) -> str:  # type: ignore[empty-body]
    """Text without these signs at its ends."""


def trimmed(column: Any) -> Any:
    """A column as text without spaces around it, for values that differ from row to row."""
    text = column.cast("string")
    return ibis.cases((text.contains(" "), _trim_signs(text, " ")), else_=text)


def as_code(column: Any) -> Any:
    """A column as a code: in capitals, without blanks around it; missing stays missing."""
    return _trim(column.cast("string")).upper()


def code_of(text: str) -> str:
    """A text as a code, by the rule of `as_code`."""
    return "".join(CAPITALS.get(letter) or letter.upper() for letter in text.strip(BLANKS))


def is_blank(text: Any) -> Any:
    """Whether a trimmed text is missing or empty."""
    return text.isnull() | (text == "")
