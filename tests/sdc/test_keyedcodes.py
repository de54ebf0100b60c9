"""Keyed hashes of codes."""

import numpy as np

from common.keys import sip_key
from sdc.keyedcodes import keyed_codes


def test_codes_hash_alike_whatever_stands_beside_them() -> None:
    key = sip_key(bytes(32), "test")
    alone = [int(keyed_codes(key, np.array([code]))[0]) for code in ("E01000001", "E0", "Ynys Môn", "12345678")]
    together = keyed_codes(key, np.array(["E01000001", "E0", "Ynys Môn", "12345678"]))
    assert alone == together.tolist()
    assert len(set(alone)) == 4


def test_codes_that_share_a_beginning_differ() -> None:
    codes = np.array(["a" * length for length in range(1, 30)])
    assert len(np.unique(keyed_codes(sip_key(bytes(32), "test"), codes))) == len(codes)


def test_other_keys_and_purposes_give_other_hashes() -> None:
    codes = np.array(["E01000001"])
    hashes = {
        int(keyed_codes(sip_key(bytes([n]) * 32, purpose), codes)[0]) for n in (1, 2) for purpose in ("totals", "cells")
    }
    assert len(hashes) == 4
