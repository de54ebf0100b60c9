"""Rules for codes: the nine-character form of statistical areas, and how postcodes are written.

**The postcode rule**, so that every engine can state it alike: take out every
character that `POSTCODE_GAPS` matches, turn the letters a–z into A–Z, and (for
reading, not for matching) put one space before the last three characters.
`POSTCODE_GAPS` is a regular expression of one character class with literal
characters only, which Python, RE2 (DuckDB, Arrow) and Java (Spark) read alike.
"""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["POSTCODE_GAPS", "code_fault", "code_notices", "match_postcodes", "normalise_postcode"]

# Tab to carriage return, space, and the no-break spaces that spreadsheets and web pages put in.
POSTCODE_GAPS = "[\t\n\v\f\r \u00a0\u2007\u202f]"

# Country letter (England, Wales, Scotland, Northern Ireland, and the letters for wider or crossing areas and the
# islands), two digits for the kind of area, six for the area itself.
_NINE = re.compile(r"[EWSNKJLM][0-9]{8}")
_GAPS = re.compile(POSTCODE_GAPS)
_UPPER = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


def code_fault(code: str) -> str | None:
    """What keeps a code from the nine-character form of the Office for National Statistics, or nothing.

    Areas of one's own need no such code, so this serves notices, never faults.

    >>> code_fault("E00123456") is None
    True
    >>> code_fault("E0012345")
    'has 8 characters, not 9'

    Source: Office for National Statistics, "Coding and naming for UK statistical
    geographies", the nine-character code AXXNNNNNN.
    """
    if _NINE.fullmatch(code):
        return None
    if len(code) != 9:
        return f"has {len(code)} characters, not 9"
    if _NINE.fullmatch(code.translate(_UPPER)):
        return "begins with a small letter"
    return "is not one letter of E, W, S, N, K, J, L or M and eight digits"


def code_notices(level: str, codes: np.ndarray) -> tuple[str, ...]:
    """One sentence where codes of a level are not in the nine-character form; empty where all are."""
    odd = [(str(code), fault) for code in codes if (fault := code_fault(str(code))) is not None]
    if not odd:
        return ()
    code, fault = odd[0]
    return (
        f"{len(odd)} of {len(codes)} codes of level '{level}' are not nine-character codes, such as {code}: it {fault}",
    )


def normalise_postcode(text: str) -> str:
    """A postcode as it is written: upper case, one space before the last three characters, no other gap.

    A text of three characters or fewer is no postcode; it comes back without a space.

    >>> normalise_postcode(" m15  4ab")
    'M15 4AB'
    """
    tight = _GAPS.sub("", text).translate(_UPPER)
    return f"{tight[:-3]} {tight[-3:]}" if len(tight) > 3 else tight


def match_postcodes(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Postcodes as they are matched: upper case, no gap at all.  Text of shape (n,) in and out."""
    return pc.ascii_upper(pc.replace_substring_regex(texts, POSTCODE_GAPS, ""))
