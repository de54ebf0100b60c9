"""Text for made-up records, made by the array: no loop runs over rows.

Names are syllables strung together, National Insurance numbers begin with QQ,
which is never issued, telephone numbers lie in the range kept for drama
(01632 960000 to 960999), and addresses name streets that are made of the same
syllables.  None of it can be anybody's.
"""

import itertools

import numpy as np
import pyarrow as pa

__all__ = ["FORENAMES", "NOTES", "STREETS", "SURNAMES", "days_text", "digits", "fixed_text", "pick", "references"]

_HEADS = ("Ba", "Cor", "Dun", "El", "Fa", "Gri", "Hol", "Ist", "Jo", "Kel", "Lor", "Mar", "Nev", "Os", "Pel", "Ru")
_MIDDLES = ("la", "me", "ni", "ro", "tu", "ve", "wi", "zo")
_TAILS = ("by", "den", "ford", "gan", "kin", "ley", "mor", "rick", "sel", "ton", "well", "wyn")
SURNAMES = pa.array(["".join(parts) for parts in itertools.product(_HEADS, _MIDDLES, _TAILS)])
FORENAMES = pa.array([head + middle + tail for head in _HEADS for middle in _MIDDLES for tail in ("", "n", "s", "ra")])
STREETS = pa.array([f"{head}{tail} {kind}" for head in _HEADS for tail in _TAILS for kind in ("Road", "Lane", "Way")])
# Commas, quotation marks and line ends are what free text breaks readers of CSV with.
NOTES = pa.array(
    [
        "",
        "",
        "",
        "Attended.",
        "Asked about travel, then about hours",
        'Said "call me after four", will try again',
        "Changed address\nold one still on letters",
        "Brought papers; copies taken",
        "Wants work with animals, or outdoors",
        "See letter of last week",
    ]
)
_PRIME = 611_953_421
_MODULUS = 1_000_000_000
_EPOCH = np.datetime64("1970-01-01", "D")


def pick(pool: pa.Array, index: np.ndarray) -> pa.Array:
    """Text of a pool by index, of shape (n,)."""
    return pool.take(pa.array(index))


def digits(numbers: np.ndarray, width: int) -> np.ndarray:
    """Decimal digits of whole numbers as ASCII, uint8 of shape (n, width)."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def fixed_text(*parts: np.ndarray | bytes) -> pa.Array:
    """Texts of one width: each part is ASCII of shape (n, w), or bytes that all rows share."""
    rows = next(len(part) for part in parts if isinstance(part, np.ndarray))
    matrix = np.hstack(
        [
            np.broadcast_to(np.frombuffer(part, np.uint8), (rows, len(part))) if isinstance(part, bytes) else part
            for part in parts
        ]
    )
    offsets = np.arange(rows + 1, dtype=np.int32) * matrix.shape[1]
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix)))


def references(numbers: np.ndarray) -> pa.Array:
    """Person references: P and nine digits, different for different numbers below 10**9, in no visible order."""
    return fixed_text(b"P", digits(numbers * _PRIME % _MODULUS, 9))


def days_text(days: np.ndarray, first: int, last: int) -> pa.Array:
    """Days since 1970 as YYYY-MM-DD; all lie in first … last."""
    pool = pa.array(np.datetime_as_string(_EPOCH + np.arange(first, last + 1)).tolist())
    return pool.take(pa.array(days - first))
