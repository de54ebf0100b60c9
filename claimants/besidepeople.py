"""Claims counted beside people: one claim of a benefit a person, all in the area that the person is counted in.

People are counted once, in the area of their claim that started last.  Claims
counted by themselves stand where each claim says, and a benefit that somebody claims
twice counts twice.  Beside people neither may be, for then no figures keep

    each benefit's claims <= people <= all claims    in every area.

So, of the claims of one benefit that a person has, the one that started last counts
(of those, the one with the smallest cell), and it counts in the area of the claim that
stands for the person by the same rule.  Then the inequality holds by construction:
a person adds one to the people of one area, to each benefit there at most one, and to all claims
there at least one.  What that moved and left out is told to the reviewer.
"""

import datetime as dt
from typing import Any

import ibis

from claimants.counting import by_claim, days_and_cell, whole
from claimants.records import Shape
from claimants.states import State

__all__ = ["claims_beside_people_query"]


def claims_beside_people_query(rows: Any, shape: Shape, reference: dt.date) -> Any:
    """Counts of claims by state and cell, each person's in one area and of each benefit at most one.

    Grain: state × cell, as `claimants.counting.claims_query` has it, with two columns more:
    `others`, claims beside which a later one of the same person and benefit counts, and `moved`, claims
    counted in another area than their own.
    """
    left = rows.state == int(State.LEFT)
    claims = by_claim(rows, left).drop("group")
    stands = claims.state == int(State.LEFT)
    benefits = claims.group_by(state=claims.state, person=claims.person, benefit=claims.benefit).aggregate(
        rank=days_and_cell(claims, shape, reference).min(where=stands),
        claims=claims.count(),
        rows=whole(claims.rows.sum()),
        disagreeing=whole((claims.cell != claims.other).sum()),
    )
    # Days since the start rank first, then the area: the smallest rank of a person is that of `people_query`.
    standing = benefits.rank.min().over(ibis.window(group_by=[benefits.state, benefits.person]))
    benefits = benefits.mutate(own=benefits.rank % shape.cells, standing=standing % shape.cells)
    area = shape.strides[0]
    placed = benefits.mutate(
        cell=(benefits.standing // area) * area + benefits.own % area,
        moved=(benefits.own // area) != (benefits.standing // area),
    )
    return placed.group_by(state=placed.state, cell=placed.cell).aggregate(
        claims=placed.count(),
        rows=whole(placed.rows.sum()),
        disagreeing=whole(placed.disagreeing.sum()),
        others=whole((placed.claims - 1).sum()),
        moved=whole(placed.moved.sum()),
    )
