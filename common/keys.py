"""Keys, sub-keys and keyed draws.

Every use of a key takes its own sub-key, HMAC-SHA256(key, purpose).  Draws are
SipHash-2-4 (Aumasson & Bernstein 2012) under such a sub-key: a keyed
pseudo-random function that compiled code can call a million times a second, so
that a draw depends on the key, its purpose and what is drawn for, and on
nothing else.
"""

import hashlib
import hmac

import numpy as np
from numba import njit

__all__ = ["MINIMUM_KEY_BYTES", "key_id", "sip_key", "siphash", "sub_key"]

MINIMUM_KEY_BYTES = 32


def sub_key(key: bytes, purpose: str) -> bytes:
    """HMAC-SHA256(key, purpose): 32 bytes for one use of the key."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def key_id(key: bytes) -> str:
    """A public name for the key, HMAC-SHA256(key, "id"), shortened to 16 hexadecimal digits."""
    return sub_key(key, "id").hex()[:16]


def sip_key(key: bytes, purpose: str) -> np.ndarray:
    """The sub-key for one purpose as the two 64-bit words that `siphash` takes."""
    return np.frombuffer(sub_key(key, purpose)[:16], dtype="<u8").astype(np.uint64)


@njit(cache=True, inline="always")
def _rotate(word: np.uint64, bits: int) -> np.uint64:
    return (word << np.uint64(bits)) | (word >> np.uint64(64 - bits))


@njit(cache=True)
def _round(v0, v1, v2, v3):  # type: ignore[no-untyped-def]
    v0 += v1
    v2 += v3
    v1 = _rotate(v1, 13) ^ v0
    v3 = _rotate(v3, 16) ^ v2
    v0 = _rotate(v0, 32)
    v2 += v1
    v0 += v3
    v1 = _rotate(v1, 17) ^ v2
    v3 = _rotate(v3, 21) ^ v0
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@njit(cache=True)
def siphash(key: np.ndarray, words: np.ndarray, length: int) -> np.uint64:
    """SipHash-2-4 of the first `length` 64-bit words (little-endian bytes) under a two-word key.

    Equals the reference function on the 8 × `length` bytes of the words.
    Source: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input
    PRF", INDOCRYPT 2012, section 2.
    """
    v0 = key[0] ^ np.uint64(0x736F6D6570736575)
    v1 = key[1] ^ np.uint64(0x646F72616E646F6D)
    v2 = key[0] ^ np.uint64(0x6C7967656E657261)
    v3 = key[1] ^ np.uint64(0x7465646279746573)
    for i in range(length):
        word = np.uint64(words[i])
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    last = np.uint64((length * 8) & 0xFF) << np.uint64(56)
    v3 ^= last
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0 ^= last
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
