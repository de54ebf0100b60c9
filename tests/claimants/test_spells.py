"""Claims linked into spells: timelines drawn one claim a line, `#` a day with the claim."""

import datetime as dt
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claimants.engine import connect, fetch, keep_table
from claimants.spells import FOREVER, SpellSpec, day_number, first_day_after, link_spells

Claim = tuple[str, str, int, int]


def link(claims: list[Claim], **spec: object) -> list[tuple[object, ...]]:
    """(person, benefit, first, off) of claims → sorted (…, first, off, claims) of spells."""
    columns = {
        name: pa.array([claim[at] for claim in claims], type_)
        for at, (name, type_) in enumerate(
            {"person": pa.string(), "benefit": pa.string(), "first": pa.int64(), "off": pa.int64()}.items()
        )
    }
    chosen = SpellSpec(**spec)  # type: ignore[arg-type]
    with connect(spill=None, threads=1) as connection:
        rows = fetch(connection, link_spells(keep_table(connection, "claims", pa.table(columns)), chosen))
    return sorted(tuple(row[name] for name in (*chosen.by, "first", "off", "claims")) for row in rows.to_pylist())


def drawn(*lines: str) -> list[Claim]:
    """Lines such as ``"P1 UC ..###"`` as claims; a line that ends in ``>`` has no end."""
    claims = []
    for line in lines:
        person, benefit, days = line.split()
        off = FOREVER if days.endswith(">") else len(days.rstrip("."))
        claims.append((person, benefit, days.index("#"), off))
    return claims


@pytest.mark.parametrize(
    ("lines", "join_days", "spells"),
    [
        (["P1 UC ###......", "P1 UC ...###..."], 0, [(0, 6, 2)]),  # they touch
        (["P1 UC ###......", "P1 UC ....###.."], 0, [(0, 3, 1), (4, 7, 1)]),  # a day without parts them
        (["P1 UC ###......", "P1 UC ....###.."], 1, [(0, 7, 2)]),
        (["P1 UC ###......", "P1 UC .....###."], 1, [(0, 3, 1), (5, 8, 1)]),
        (["P1 UC ########.", "P1 UC .##......", "P1 UC .....##.."], 0, [(0, 8, 3)]),  # inside a longer one
        (["P1 UC ########.", "P1 UC .##......", "P1 UC ........#"], 0, [(0, 9, 3)]),  # the longest decides
        (["P1 UC ##......>", "P1 UC ....###.."], 0, [(0, FOREVER, 2)]),  # no end
        (["P1 UC ###......", "P1 UC ###......"], 0, [(0, 3, 2)]),  # copies
        (["P1 UC #........", "P1 UC #####....", "P1 UC ......##."], 0, [(0, 5, 2), (6, 8, 1)]),
    ],
)
def test_claims_that_follow_each_other_are_one_spell(
    lines: list[str], join_days: int, spells: list[tuple[int, int, int]]
) -> None:
    assert [spell[2:] for spell in link(drawn(*lines), join_days=join_days)] == spells


def test_benefits_and_persons_are_linked_apart_unless_asked_otherwise() -> None:
    claims = drawn("P1 JSA ###......", "P1 UC  ..####...", "P2 UC  ......##.")
    assert link(claims) == [("P1", "JSA", 0, 3, 1), ("P1", "UC", 2, 6, 1), ("P2", "UC", 6, 8, 1)]
    assert link(claims, by=("person",)) == [("P1", 0, 6, 2), ("P2", 6, 8, 1)]


@pytest.mark.parametrize(("rule", "off"), [("inclusive", "2026-03-01"), ("exclusive", "2026-02-28")])
def test_the_first_day_without_follows_the_rule_of_ends(rule: str, off: str) -> None:
    ends = pa.table({"end": pa.array([dt.date(2026, 2, 28), None], pa.date32())})
    with connect(spill=None, threads=1) as connection:
        rows = keep_table(connection, "ends", ends)
        found = fetch(connection, rows.select(off=first_day_after(rows.end, rule)))
    assert found.column("off").to_pylist() == [day_number(dt.date.fromisoformat(off)), FOREVER]


@pytest.mark.parametrize("wrong", [{"join_days": -1}, {"by": ("benefit",)}])
def test_spells_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        SpellSpec(**wrong)  # type: ignore[arg-type]


CLAIMS = st.lists(
    st.tuples(st.sampled_from(["P1", "P2"]), st.sampled_from(["UC", "JSA"]), st.integers(-5, 25), st.integers(1, 9)),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(claims=CLAIMS, join_days=st.integers(0, 4), benefits=st.booleans())
def test_spells_are_what_counting_day_by_day_gives(
    claims: list[tuple[str, str, int, int]], join_days: int, benefits: bool
) -> None:
    lasting = [(person, benefit, first, first + days) for person, benefit, first, days in claims]
    by = ("person", "benefit") if benefits else ("person",)
    expected = []
    keys = {claim[: len(by)] for claim in lasting}
    for key in keys:
        own = [claim for claim in lasting if claim[: len(by)] == key]
        days = sorted({day for *_, first, off in own for day in range(first, off)})
        # A spell ends where more than `join_days` days without a claim follow.
        breaks = [
            0,
            *(at for at, (one, next_) in enumerate(pairwise(days), 1) if next_ - one - 1 > join_days),
            len(days),
        ]
        for begin, end in pairwise(breaks):
            first, off = days[begin], days[end - 1] + 1
            expected.append((*key, first, off, sum(first <= claim[2] < off for claim in own)))
    assert link(lasting, by=by, join_days=join_days) == sorted(expected)
