"""Record keys: a whole number per person, for noise that belongs to the people counted (the cell key method).

    record key = first 16 bits of SHA-256(secret || length || ":" || person)  mod M

with `secret` the sub-key HMAC-SHA256(key, "record key") as 64 hexadecimal digits,
`length` the number of characters of the person's reference in decimal, and all
text in UTF-8.  The secret fills one whole block of SHA-256, so that the function
is the keyed cascade of M. Bellare, R. Canetti & H. Krawczyk, "Pseudorandom
functions revisited: the cascade construction" (FOCS 1996), which is a
pseudo-random function of messages of which none begins another: hence the
length.  Only 16 bits of a digest are ever kept.

The expression is written once, in Ibis, with functions that DuckDB and Spark both
have (sha256, length, substring, position of a letter).  The secret comes in as
the one row of a table that is joined; it never stands in a query, a plan or an
error.
"""

import hashlib
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa

from claimants.engine import keep_table
from common.keys import MINIMUM_KEY_BYTES, sub_key

__all__ = ["RecordKeys", "keep_secret", "key_of_person", "with_record_keys"]

PURPOSE = "record key"
SECRET_TABLE = "record_key_secret"
HEX_DIGITS = "0123456789abcdef"
DIGITS_USED = 4
MOST_KEYS = 16**DIGITS_USED


@dataclass(frozen=True, kw_only=True)
class RecordKeys:
    """That sums of record keys are wanted beside the counts.

    Attributes
    ----------
    key : the key of the series; keys of persons are drawn from a sub-key of it.
    key_range : M, a power of two from 2 to 65,536: keys run from 0 to M - 1 (ONS: 256).

    Raises
    ------
    ValueError
        The key is too short, or M is no such number.
    """

    key: bytes = field(repr=False)
    key_range: int = 4096

    def __post_init__(self) -> None:
        if len(self.key) < MINIMUM_KEY_BYTES:
            raise ValueError(f"key must be at least {MINIMUM_KEY_BYTES} bytes")
        if not 2 <= self.key_range <= MOST_KEYS or self.key_range & (self.key_range - 1):
            raise ValueError(f"key_range ({self.key_range}) must be a power of two from 2 to {MOST_KEYS}")

    @property
    def secret(self) -> str:
        """The secret of the formula above."""
        return sub_key(self.key, PURPOSE).hex()


def keep_secret(connection: Any, keys: RecordKeys) -> Any:
    """The table of one row in the engine that holds the secret in its column `secret`; once for each connection."""
    return keep_table(connection, SECRET_TABLE, pa.table({"secret": pa.array([keys.secret], pa.string())}))


def with_record_keys(rows: Any, secret: Any, key_range: int) -> Any:
    """Rows that have a `person` with the `record_key` of each beside them, int64, missing where the person is.

    `secret` is the table of one row that holds it.
    """
    beside = rows.cross_join(secret)
    # A column of its own, so that the digest is worked out once and not once for each of its letters.
    hashed = beside.mutate(digest=_digest(beside.person, beside.secret)).drop("secret")
    return hashed.mutate(record_key=_first_bits(hashed.digest) % key_range).drop("digest")


def _digest(person: Any, secret: Any) -> Any:
    """SHA-256 of secret, length and person as 64 hexadecimal digits."""
    return (secret + person.length().cast("string") + ":" + person).hexdigest("sha256")


def _first_bits(digest: Any) -> Any:
    """The first digits of a digest as a number."""
    letters = ibis.literal(HEX_DIGITS, type="string")
    digits = [letters.find(digest.substr(place, 1)).cast("int64") for place in range(DIGITS_USED)]
    return reduce(lambda number, digit: number * 16 + digit, digits)


def key_of_person(person: str, keys: RecordKeys) -> int:
    """The record key of one person, slow and obvious: the reference that the expression is held to."""
    digest = hashlib.sha256(f"{keys.secret}{len(person)}:{person}".encode()).hexdigest()
    return int(digest[:DIGITS_USED], 16) % keys.key_range
