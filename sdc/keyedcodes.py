"""Keyed hashes of codes: what a cell's draws are made from, whatever else stands in the table."""

import numpy as np
from numba import njit

from common.keys import siphash

__all__ = ["keyed_codes"]


def keyed_codes(key: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """A 64-bit keyed hash of each code (text), equal wherever the code is equal.

    `codes` is an array of text of shape (n,); the result is uint64 of shape (n,).
    Each code is hashed with its length, so that no two codes share an input.
    """
    words, lengths = _packed(np.asarray(codes, dtype=np.str_))
    return _keyed_words(key, words, lengths)


def _packed(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """UTF-8 bytes of each code, padded with NUL to whole words, uint64 of shape (n, words); and their lengths, uint64."""
    width = codes.dtype.itemsize // 4
    letters = np.ascontiguousarray(codes).view(np.uint32).reshape(len(codes), width)
    if letters.max(initial=0) < 128:
        lengths = np.char.str_len(codes).astype(np.uint64)
    else:
        encoded = np.array([str(code).encode() for code in codes])
        width = encoded.dtype.itemsize
        letters = encoded.view(np.uint8).reshape(len(codes), width).astype(np.uint32)
        lengths = np.char.str_len(encoded).astype(np.uint64)
    # One word more than needed: the hash of a code of 8 letters takes a word that is empty.
    padded = np.zeros((len(codes), (width // 8 + 1) * 8), np.uint8)
    padded[:, :width] = letters
    return padded.view("<u8").astype(np.uint64), lengths


@njit(cache=True)
def _keyed_words(key: np.ndarray, words: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """SipHash of each code's length and as many words as it takes, whatever the width of the others."""
    out = np.empty(words.shape[0], np.uint64)
    buffer = np.empty(words.shape[1] + 1, np.uint64)
    for i in range(words.shape[0]):
        used = np.int64(lengths[i]) // 8 + 1
        buffer[0] = lengths[i]
        for j in range(used):
            buffer[j + 1] = words[i, j]
        out[i] = siphash(key, buffer, used + 1)
    return out
