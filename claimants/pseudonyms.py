"""Pseudonyms: keyed person references, the same wherever reference and key are the same, and nowhere else.

    pseudonym = first L digits of HMAC-SHA-256(sub-key, reference) in hexadecimal
              = first L digits of SHA-256(outer || SHA-256(inner || reference))

with `sub-key` = HMAC-SHA-256(key, "person reference"), `inner` and `outer` the sub-key
filled up with zeros to the 64 bytes of a block and xored with 0x36 and 0x5c (RFC 2104;
FIPS 198-1, section 4), and the reference in UTF-8 without blanks around it
(`claimants.text.trimmed`): the form in which references are compared everywhere else.
L is 32 to 64 digits, 128 to 256 bits: among 100 million people two share one of 128 bits with a
probability below 2**-75.  A blank reference has no pseudonym: it links nobody.

The expression is written once, in Ibis, with functions that DuckDB and Spark both have
under these names (hex, unhex, SHA-256 of bytes, substring).  The two pads come in as the one row of a
table that is joined; neither they nor the key ever stand in a query, a plan or an error.

Without the key nobody can work out a pseudonym, or a new one from an old one.  A key is
therefore changed in one way alone: whoever holds both keys pseudonymises the source
under both, once (`rotation_map`), and deletes that table when the extracts are rewritten.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr import operations as ops

from claimants.engine import keep_table
from claimants.text import is_blank, trimmed
from common.keys import MINIMUM_KEY_BYTES, key_id, sub_key

__all__ = ["FEWEST_DIGITS", "PURPOSE", "Pseudonyms", "keep_pads", "pseudonym_of", "rotation_map", "with_pseudonyms"]

PURPOSE = "person reference"
FEWEST_DIGITS, MOST_DIGITS = 32, 64
BLOCK_BYTES = 64
INNER, OUTER = 0x36, 0x5C


@dataclass(frozen=True, kw_only=True)
class Pseudonyms:
    """How references are replaced.

    Attributes
    ----------
    key : whose sub-key the references are hashed under; at least 32 bytes.
    length : hexadecimal digits that are kept, 32 (128 bits) to 64 (256 bits, the whole).

    Raises
    ------
    ValueError
        The key is too short, or so few digits would let references collide.
    """

    key: bytes = field(repr=False)
    length: int = MOST_DIGITS

    def __post_init__(self) -> None:
        if len(self.key) < MINIMUM_KEY_BYTES:
            raise ValueError(f"key must be at least {MINIMUM_KEY_BYTES} bytes")
        if not FEWEST_DIGITS <= self.length <= MOST_DIGITS:
            raise ValueError(f"length ({self.length}) must be from {FEWEST_DIGITS} to {MOST_DIGITS} digits")

    @property
    def key_id(self) -> str:
        """The public name of the key."""
        return key_id(self.key)

    @property
    def pads(self) -> tuple[str, str]:
        """Inner and outer pad of the formula above, 128 hexadecimal digits each: as secret as the key."""
        block = sub_key(self.key, PURPOSE).ljust(BLOCK_BYTES, b"\0")
        return bytes(byte ^ INNER for byte in block).hex(), bytes(byte ^ OUTER for byte in block).hex()


def keep_pads(connection: Any, pseudonyms: Pseudonyms, name: str = "person_reference_pads") -> Any:
    """The table of one row in the engine that holds the pads in its columns `inner` and `outer`; once for each connection."""
    inner, outer = pseudonyms.pads
    columns = {"inner": pa.array([inner], pa.string()), "outer": pa.array([outer], pa.string())}
    return keep_table(connection, name, pa.table(columns))


def with_pseudonyms(rows: Any, pads: Any, *, length: int, column: str = "person", name: str = "pseudonym") -> Any:
    """Rows with the pseudonym of `column` beside it, text of `length` digits, missing where the reference is blank.

    `pads` is the table of one row that `keep_pads` made.
    """
    beside = rows.cross_join(pads.select(pad_within=pads.inner, pad_around=pads.outer))
    person = trimmed(beside[column])
    # A digest of a column of its own, so that it is worked out once.
    digest = _sha256(beside.pad_around + _sha256(beside.pad_within + _hex(person)))
    pseudonym = ibis.cases((~is_blank(person), digest.substr(0, length)), else_=None)
    return beside.mutate(**{name: pseudonym}).drop("pad_within", "pad_around")


@ibis.udf.scalar.builtin(name="hex")  # type: ignore[untyped-decorator]
def _hex(text: str) -> str:  # type: ignore[empty-body]
    """The UTF-8 bytes of a text as hexadecimal digits."""


@ibis.udf.scalar.builtin(name="unhex")  # type: ignore[untyped-decorator]
def _unhex(digits: str) -> bytes:  # type: ignore[empty-body]
    """The bytes that hexadecimal digits stand for."""


def _sha256(digits: Any) -> Any:
    """SHA-256 of the bytes that hexadecimal digits stand for, as 64 digits."""
    return ops.HexDigest(_unhex(digits), "sha256").to_expr()


def rotation_map(persons: Any, old: Any, new: Any, *, length: int) -> Any:
    """Old and new pseudonym of every person: from the source alone, never from the old pseudonyms.

    `persons` has a column `person`; `old` and `new` are the pads of the two keys.  Grain: person,
    each once; columns `old` and `new`.  Whoever holds this table can follow everybody across
    the change: it is made once, by the holder of both keys, and deleted when it was used.
    """
    each = persons.select("person").filter(~is_blank(trimmed(persons.person)))
    each = each.select(person=trimmed(each.person)).distinct()
    both = with_pseudonyms(with_pseudonyms(each, old, length=length, name="old"), new, length=length, name="new")
    return both.select("old", "new")


def pseudonym_of(reference: str, pseudonyms: Pseudonyms) -> str | None:
    """The pseudonym of one reference, slow and obvious: what the expression is held to."""
    person = reference.strip(" ")
    if not person:
        return None
    digest = hmac.new(sub_key(pseudonyms.key, PURPOSE), person.encode(), hashlib.sha256).hexdigest()
    return digest[: pseudonyms.length]
