"""Keyed draws."""

import numpy as np
import pytest

from common.keys import siphash

REFERENCE = np.frombuffer(bytes(range(16)), "<u8").astype(np.uint64)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # The reference implementation's vectors (github.com/veorq/SipHash, vectors.h), read as little-endian numbers.
        (b"", 0x726FDB47DD0E0E31),
        (bytes(range(8)), 0x93F5F5799A932462),
        (bytes(range(16)), 0x3F2ACC7F57C29BDB),
    ],
)
def test_siphash_equals_reference_vectors(message: bytes, expected: int) -> None:
    words = np.frombuffer(message, "<u8").astype(np.uint64)
    assert int(siphash(REFERENCE, words, len(words))) == expected
