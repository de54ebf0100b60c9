"""Keyed person references: true HMAC, the same under the same key, and under no other."""

import datetime as dt
import hashlib
import hmac
import re

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimants.custody import Custody, HeldKey
from claimants.engine import connect, fetch, keep_table
from claimants.pseudonyms import PURPOSE, Pseudonyms, keep_pads, pseudonym_of, rotation_map, with_pseudonyms
from common.faults import Faults
from common.keys import sub_key

KEY, OTHER = b"k" * 32, b"o" * 32


def pseudonymise(references: list[str | None], pseudonyms: Pseudonyms) -> list[str | None]:
    with connect(spill=None, threads=1) as connection:
        rows = keep_table(connection, "people", pa.table({"person": pa.array(references, pa.string())}))
        rows = rows.mutate(row=ibis.row_number())
        made = with_pseudonyms(rows, keep_pads(connection, pseudonyms), length=pseudonyms.length)
        found: list[str | None] = fetch(connection, made.order_by("row")).column("pseudonym").to_pylist()
    return found


# --- What a pseudonym is --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "same_as"),
    [("P1", "P1"), ("  P1 ", "P1"), ("p1", None), ("P1\t", None), ("P 1", None), ("É1", "É1")],
)
def test_references_are_compared_without_blanks_around_them(reference: str, same_as: str | None) -> None:
    """Spaces at the ends are left out, as everywhere references are compared; nothing else is changed."""
    made = pseudonymise([reference], Pseudonyms(key=KEY))[0]
    sought = reference if same_as is None else same_as
    assert made == hmac.new(sub_key(KEY, PURPOSE), sought.encode(), hashlib.sha256).hexdigest()
    assert (made == pseudonymise(["P1"], Pseudonyms(key=KEY))[0]) == (sought == "P1")


@pytest.mark.parametrize("reference", [None, "", " ", "   "])
def test_a_blank_reference_has_none(reference: str | None) -> None:
    assert pseudonymise([reference], Pseudonyms(key=KEY)) == [None]


def test_vector_of_rfc_4231_holds_for_the_construction() -> None:
    """RFC 4231, test case 2: our pads around SHA-256 are HMAC-SHA-256."""
    key, text = b"Jefe", b"what do ya want for nothing?"
    block = key.ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    digest = hashlib.sha256(outer + hashlib.sha256(inner + text).digest()).hexdigest()
    assert digest == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert Pseudonyms(key=KEY).pads == tuple(
        bytes(byte ^ pad for byte in sub_key(KEY, PURPOSE).ljust(64, b"\0")).hex() for pad in (0x36, 0x5C)
    )


@settings(max_examples=40, deadline=None)
@given(
    references=st.lists(
        st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)),
        min_size=1,
        max_size=20,
    ),
    key=st.binary(min_size=32, max_size=100),
    length=st.integers(32, 64),
)
def test_the_engine_gives_what_python_gives(references: list[str | None], key: bytes, length: int) -> None:
    pseudonyms = Pseudonyms(key=key, length=length)
    expected = [None if one is None else pseudonym_of(one, pseudonyms) for one in references]
    assert pseudonymise(references, pseudonyms) == expected


def test_extracts_match_under_one_key_and_under_no_other() -> None:
    one = pseudonymise(["P1", "P2", "P3"], Pseudonyms(key=KEY))
    assert pseudonymise(["P3", "P1"], Pseudonyms(key=KEY)) == [one[2], one[0]]
    assert not set(one) & set(pseudonymise(["P1", "P2", "P3"], Pseudonyms(key=OTHER)))
    assert [text[:40] for text in one if text] == pseudonymise(["P1", "P2", "P3"], Pseudonyms(key=KEY, length=40))


@pytest.mark.parametrize("wrong", [{"key": b"k" * 31}, {"key": KEY, "length": 31}, {"key": KEY, "length": 65}])
def test_short_keys_and_pseudonyms_that_collide_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Pseudonyms(**wrong)  # type: ignore[arg-type]


def test_the_key_stands_in_no_query_plan_or_text() -> None:
    pseudonyms = Pseudonyms(key=KEY)
    with connect(spill=None, threads=1) as connection:
        rows = keep_table(connection, "people", pa.table({"person": ["P1"]}))
        made = with_pseudonyms(rows, keep_pads(connection, pseudonyms), length=64)
        told = f"{ibis.to_sql(made)} {made!r} {pseudonyms!r}"
    for secret in (KEY.hex(), repr(KEY), sub_key(KEY, PURPOSE).hex(), *pseudonyms.pads):
        assert secret not in told


def test_compiles_for_spark_with_functions_that_spark_has() -> None:
    persons = ibis.table({"person": "string"}, name="persons")
    pads = ibis.table({"inner": "string", "outer": "string"}, name="pads")
    sql = str(ibis.to_sql(with_pseudonyms(persons, pads, length=32), dialect="pyspark"))
    used = set(re.findall(r"([A-Z0-9_]+)\(", sql)) - {"LIKE"}
    assert used <= {"SHA2", "HEX", "UNHEX", "CONCAT", "SUBSTRING", "TRIM", "CONTAINS", "IF", "LENGTH"}


def test_a_changed_key_needs_the_source() -> None:
    """The map has each person once, with the pseudonyms of both keys, made from references."""
    old, new = Pseudonyms(key=KEY), Pseudonyms(key=OTHER)
    with connect(spill=None, threads=1) as connection:
        people = keep_table(connection, "people", pa.table({"person": ["P1", " P1", "P2", "", None]}))
        pads = [keep_pads(connection, one, name) for one, name in ((old, "old_pads"), (new, "new_pads"))]
        made = fetch(connection, rotation_map(people, *pads, length=64)).to_pylist()
    expected = [{"old": pseudonym_of(one, old), "new": pseudonym_of(one, new)} for one in ("P1", "P2")]
    assert sorted(made, key=str) == sorted(expected, key=str)


# --- Custody --------------------------------------------------------------------------------------

FIRST, SECOND = "0" * 15 + "1", "0" * 15 + "2"
START, CHANGE = dt.date(2024, 1, 1), dt.date(2026, 4, 1)


def held(**changes: object) -> HeldKey:
    plain = {"id": FIRST, "purpose": PURPOSE, "since": START, "held_by": "head of data"}
    return HeldKey(**(plain | changes))  # type: ignore[arg-type]


ROTATED = Custody(keys=(held(retired=CHANGE, replaced_by=SECOND), held(id=SECOND, since=CHANGE)))


@pytest.mark.parametrize(
    ("key", "day", "found"),
    [
        (FIRST, dt.date(2023, 12, 31), "in use from 2024-01-01"),
        (FIRST, dt.date(2024, 1, 1), None),
        (FIRST, dt.date(2026, 3, 31), None),
        (FIRST, dt.date(2026, 4, 1), "was retired on 2026-04-01"),
        (SECOND, dt.date(2026, 3, 31), "in use from 2026-04-01"),
        (SECOND, dt.date(2026, 4, 1), None),
        ("f" * 16, dt.date(2026, 4, 1), "not on record"),
    ],
)
def test_a_key_is_used_from_its_first_day_until_the_day_before_it_is_retired(
    key: str, day: dt.date, found: str | None
) -> None:
    faults = Faults()
    ROTATED.check_use(key, purpose=PURPOSE, day=day, faults=faults)
    assert [found in fault.found for fault in faults.found] == ([True] if found else [])  # type: ignore[operator]


@pytest.mark.parametrize(
    "keys",
    [
        lambda: (held(), held(since=CHANGE)),  # an id twice
        lambda: (held(), held(id=SECOND, since=CHANGE)),  # two in use at once
        lambda: (held(retired=CHANGE + dt.timedelta(days=1)), held(id=SECOND, since=CHANGE)),
        lambda: (held(retired=CHANGE, replaced_by=SECOND),),  # the next is not on record
        lambda: (held(retired=CHANGE, replaced_by=SECOND), held(id=SECOND, since=CHANGE + dt.timedelta(days=1))),
        lambda: (held(replaced_by=SECOND), held(id=SECOND, since=CHANGE)),  # replaced but in use
        lambda: (held(retired=START),),
        lambda: (held(held_by=" "),),
        lambda: (held(id="the key itself"),),
    ],
)
def test_a_record_of_keys_that_cannot_be_is_refused(keys: object) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        Custody(keys=keys())  # type: ignore[operator]
    assert "the key itself" not in str(caught.value)


def test_keys_of_other_purposes_stand_beside() -> None:
    assert Custody(keys=(held(), held(id=SECOND, purpose="record key")))
