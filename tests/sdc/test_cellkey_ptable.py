"""Ptables: the designer against published tables and other solvers, and both conventions of looking them up."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from common.faults import Infeasible
from sdc.cellkey.design import PTableSpec, design_ptable, smallest_variance
from sdc.cellkey.entropy import largest_entropy
from sdc.cellkey.ptable import KeyTable, PTable, in_keys, noise_of, noise_shares, rows_of


def rows_as_told(ptable):
    """{row: {noise: probability}} of a ptable."""
    told = {}
    for row, noise, p in zip(ptable.rows.tolist(), ptable.noise.tolist(), ptable.probabilities.tolist(), strict=True):
        told.setdefault(row, {})[noise] = p
    return told


def ptable_of(rows):
    """A ptable from {row: {noise: probability}}."""
    return PTable(
        rows=np.repeat(np.array(list(rows)), [len(each) for each in rows.values()]),
        noise=np.array([noise for each in rows.values() for noise in each]),
        upper=np.concatenate([np.cumsum(list(each.values())) for each in rows.values()]),
    )


def ten_five():
    """The 10-5 rule of the ONS: below 10 to 0, else to the nearest 5; the same for every key 0 … 255."""
    pcv = np.arange(751)
    noise = np.where(pcv < 10, -pcv, (pcv + 2) // 5 * 5 - pcv)
    return KeyTable(noise=np.repeat(noise[:, None], 256, axis=1).astype(np.int16), reuse=250)


# --- V4: the designer against the ptable package's unit test -----------------------------------------


def test_v4_ptable_unit_test_row_by_row():
    spec = PTableSpec(bound=2, variance=1.05, blocked=1, monotone=(True, True, False, True))
    told = rows_as_told(design_ptable(spec).ptable)
    published = {
        0: {0: 1.0},
        1: {-1: 0.50833333, 1: 0.475, 2: 0.01666667},
        2: {-2: 0.16155827, 0: 0.55565037, 1: 0.24246618, 2: 0.04032518},
        3: {-1: 0.41231301, 0: 0.28806097, 1: 0.18693903, 2: 0.11268699},
        4: {-2: 0.07012498, -1: 0.24450007, 0: 0.37074990, 1: 0.24450007, 2: 0.07012498},
    }
    assert told.keys() == published.keys()
    for row, noises in published.items():
        assert told[row] == pytest.approx(noises, abs=1e-6)


def test_v4_without_blocked_counts():
    told = rows_as_told(design_ptable(PTableSpec(bound=2, variance=0.9)).ptable)
    assert told[1] == pytest.approx({-1: 0.3625, 0: 0.3625, 1: 0.1875, 2: 0.0875}, abs=1e-6)
    symmetric = {-2: 0.051546, -1: 0.243816, 0: 0.409277, 1: 0.243816, 2: 0.051546}
    assert told[2] == pytest.approx(symmetric, abs=1e-6)
    assert max(told) == 2


def test_v4_a_row_that_cannot_reach_the_variance_is_told():
    designed = design_ptable(PTableSpec(bound=2, variance=1))
    assert len(designed.notices) == 1
    assert designed.notices[0].startswith("row 1 has variance 0.9319, below V = 1:")
    assert "row 2" not in designed.notices[0]
    assert design_ptable(PTableSpec(bound=2, variance=0.9)).notices == ()


# --- What is demanded, and what cannot be met ---------------------------------------------------------


def test_blocking_four_needs_a_variance_of_six():
    with pytest.raises(Infeasible, match="js = 4 needs V >= 6") as told:
        PTableSpec(bound=5, blocked=4, variance=5.9)
    assert told.value.demands == ("js = 4", "V = 5.9")
    assert PTableSpec(bound=5, blocked=4).largest_variance == smallest_variance(4) == 6


def test_blocking_four_needs_noise_of_four():
    with pytest.raises(Infeasible, match="js = 4 needs D >= 4"):
        PTableSpec(bound=3, blocked=4, variance=20)
    assert design_ptable(PTableSpec(bound=4, blocked=4)).ptable.last == 9


@pytest.mark.parametrize(
    ("demands", "told"),
    [
        ({"bound": 0, "variance": 1}, r"bound \(0\)"),
        ({"blocked": -1, "variance": 1}, r"blocked \(-1\)"),
        ({"blocked": 0}, "variance must be given"),
        ({"variance": 0.0}, r"variance \(0.0\)"),
        ({"variance": 1, "stay": 1.5}, "stay"),
        ({"bound": 3, "variance": 1, "stay": (0.1, 0.2)}, "stay must be one value or 3"),
        ({"bound": 3, "variance": 1, "monotone": (True,)}, "monotone must be one value or 3"),
    ],
)
def test_demands_that_make_no_sense(demands, told):
    with pytest.raises(ValueError, match=told):
        PTableSpec(**demands)


def test_own_rows_and_the_last_is_symmetric():
    for bound, blocked, variance in ((3, 0, 1.5), (5, 4, 6.0), (10, 4, 6.25), (4, 1, 2.0)):
        designed = design_ptable(PTableSpec(bound=bound, blocked=blocked, variance=variance))
        told = rows_as_told(designed.ptable)
        assert max(told) == (bound if blocked == 0 else bound + blocked + 1)
        last = told[max(told)]
        assert set(last) == set(range(-bound, bound + 1))
        assert all(last[v] == pytest.approx(last[-v], abs=1e-9) for v in last)
        for row, noises in told.items():
            assert all(row + v == 0 or row + v > blocked for v in noises)


def test_the_smallest_variance_leaves_two_targets():
    told = rows_as_told(design_ptable(PTableSpec(bound=5, blocked=4)).ptable)
    assert {v: p for v, p in told[2].items() if p} == pytest.approx({-2: 0.6, 3: 0.4})
    assert {v: p for v, p in told[3].items() if p} == pytest.approx({-3: 0.4, 2: 0.6})


SPECS = st.integers(0, 6).flatmap(
    lambda js: st.builds(
        dict,
        blocked=st.just(js),
        bound=st.integers(max(js, 1), 14),
        variance=st.floats(-9, 1.5).map(lambda power: smallest_variance(js) + 10**power),
        stay=st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99]),
        monotone=st.booleans(),
    )
)


@settings(max_examples=20, deadline=None)
@given(SPECS)
def test_every_feasible_demand_is_met_and_no_distribution_is_better(demands):
    """The conditions of Karush, Kuhn and Tucker for a convex problem: log p + 1 is held by multipliers of the right sign."""
    spec = PTableSpec(**demands)
    ptable = design_ptable(spec).ptable
    for row in range(1, ptable.last + 1):
        here = ptable.rows == row
        v, p = ptable.noise[here].astype(float), ptable.probabilities[here]
        assert p.min() >= 0 and p.sum() == pytest.approx(1, abs=1e-12)
        assert v @ p == pytest.approx(0, abs=1e-10)
        assert v**2 @ p <= spec.largest_variance + 1e-10
        zero = np.flatnonzero(v == 0)
        push = [v**2]
        room = [spec.largest_variance - v**2 @ p]
        if len(zero):
            at = int(zero[0])
            assert p[at] >= spec.stay - 1e-10
            unit = np.eye(len(v))
            push.append(-unit[at])
            room.append(p[at] - spec.stay)
            if spec.monotone:
                assert np.all(np.diff(p[: at + 1]) >= -1e-10)
                push += [unit[k] - unit[k + 1] for k in range(at)]
                room += list(np.diff(p[: at + 1]))
        if p.min() < 1e-7:  # on the edge, where multipliers grow without bound
            continue
        held = [each for each, left in zip(push, room, strict=True) if left < 1e-6]
        signed = np.array([np.ones(len(v)), -np.ones(len(v)), v, -v, *held]).T
        assert nnls(signed, -(np.log(p) + 1))[1] < 1e-4


@pytest.mark.parametrize(
    ("values", "variance", "stay", "monotone"),
    [
        ([-2, -1, 0, 1, 2, 3], 1.4, 0.0, True),
        ([-5, 0, 1, 2, 3, 4, 5], 6.0, 0.0, True),
        ([-3, 2, 3, 4, 5], 7.5, 0.0, False),
        ([-4, -3, -2, -1, 0, 1, 2, 3, 4], 1.0, 0.5, True),
        ([-1, 0, 1, 2, 3, 4, 5], 6.0, 0.0, True),
    ],
)
def test_entropy_against_a_general_solver(values, variance, stay, monotone):
    v = np.array(values)
    found = largest_entropy(v, variance=variance, stay=stay, monotone=monotone)
    limits = [
        {"type": "eq", "fun": lambda p: p.sum() - 1},
        {"type": "eq", "fun": lambda p: v @ p},
        {"type": "ineq", "fun": lambda p: variance - v**2 @ p},
    ]
    if 0 in values:
        at = values.index(0)
        limits.append({"type": "ineq", "fun": lambda p: p[at] - stay})
        if monotone:
            limits.append({"type": "ineq", "fun": lambda p: np.diff(p[: at + 1])})
    judge = minimize(
        lambda p: float(p @ np.log(p)),
        np.full(len(v), 1 / len(v)),
        jac=lambda p: np.log(p) + 1,
        bounds=[(1e-12, 1)] * len(v),
        constraints=limits,
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert judge.success
    assert found == pytest.approx(judge.x, abs=2e-6)


def test_rows_without_a_choice():
    assert largest_entropy(np.array([0, 1, 2]), variance=3, stay=0, monotone=True).tolist() == [1, 0, 0]
    assert largest_entropy(np.array([1, 2]), variance=3, stay=0, monotone=True) is None
    assert largest_entropy(np.array([-1, 0, 1]), variance=3, stay=1, monotone=True).tolist() == [0, 1, 0]
    assert largest_entropy(np.array([-2, 3]), variance=6, stay=0, monotone=True) == pytest.approx([0.6, 0.4])
    assert largest_entropy(np.array([-2, 3]), variance=5.9, stay=0, monotone=True) is None


# --- Looking up ---------------------------------------------------------------------------------------


def test_v5_cell_key_of_the_handbook():
    """Keys 0.9, 0.3, 0.6 of three records: cell key 0.8, and row 3 adds 1."""
    ptable = ptable_of({0: {0: 1.0}, 1: {0: 1.0}, 2: {0: 1.0}, 3: {-1: 0.3, 0: 0.4, 1: 0.3}})
    cell_key = (9 + 3 + 6) % 10 / 10
    assert cell_key == 0.8
    assert 3 + noise_of(ptable, np.array([3]), np.array([cell_key])).tolist()[0] == 4


def test_destatis_keys_take_lower_below_key_up_to_upper():
    ptable = ptable_of({0: {0: 1.0}, 1: {-1: 0.25, 0: 0.5, 1: 0.25}})
    keys = np.array([0.0, 0.25, np.nextafter(0.25, 1), 0.75, np.nextafter(0.75, 1), 0.999])
    assert noise_of(ptable, np.full(6, 1), keys).tolist() == [-1, -1, 0, 0, 1, 1]
    assert noise_of(ptable, np.array([0, 7]), np.array([0.9, 0.9])).tolist() == [0, 1]


def test_v6_ten_five_rule_of_the_ons():
    table = ten_five()
    counts = np.array([10, 7, 14, 11, 0, 750, 751])
    shown = counts + noise_of(table, counts, np.full(7, 255))
    assert shown.tolist() == [10, 0, 15, 10, 0, 750, 751 - 1]
    assert noise_of(table, np.array([7]), np.array([0])).tolist() == [-7]


def test_v6_rows_beyond_750_come_round_again():
    assert rows_of(ten_five(), np.array([750, 751, 1000, 1001])).tolist() == [750, 501, 750, 501]
    counts = np.arange(751, 5000)
    assert rows_of(ten_five(), counts).tolist() == ((counts - 1) % 250 + 501).tolist()


def test_v6_key_sums_are_modulo_256():
    assert (200 + 100) % 256 == 44
    noise = np.zeros((2, 256), np.int16)
    noise[1, 44] = 3
    table = KeyTable(noise=noise)
    assert noise_of(table, np.array([1]), np.array([(200 + 100) % table.key_range])).tolist() == [3]


def test_published_rows_of_the_ons_package():
    """Cells of the perturbed table that the ONS R package is tested with: count, ckey, what was published."""
    published = [
        (16, 63, 15), (5, 196, 0), (10, 123, 10), (12, 149, 10), (13, 90, 15), (0, 0, 0), (14, 46, 15), (24, 115, 25),
        (21, 24, 20), (18, 251, 20),
    ]  # fmt: skip
    counts, keys, shown = (np.array(each) for each in zip(*published, strict=True))
    assert (counts + noise_of(ten_five(), counts, keys)).tolist() == shown.tolist()


@settings(max_examples=20, deadline=None)
@given(SPECS, st.sampled_from([64, 256, 4096]))
@example(dict(blocked=4, bound=7, variance=6.000000001, stay=0.0, monotone=False), 64)
@example(dict(blocked=1, bound=7, variance=1.000000001, stay=0.0, monotone=False), 64)
def test_keys_keep_the_mean_and_the_shape(demands, key_range):
    designed = design_ptable(PTableSpec(**demands))
    table = in_keys(designed.ptable, key_range)
    assert table.noise[0].tolist() == [0] * key_range
    mean = table.noise.mean(axis=1)
    assert np.all(np.abs(mean) <= designed.ptable.bound / key_range + 1e-9)
    # As many keys each way; a boundary that falls on the middle of a key's share goes one way by rounding.
    ups, downs = (
        np.bincount(np.abs(part), minlength=20)
        for part in (table.noise[-1][table.noise[-1] > 0], table.noise[-1][table.noise[-1] < 0])
    )
    assert np.abs(ups - downs).max() <= 1
    shares, first = noise_shares(table)
    exact, exact_first = noise_shares(designed.ptable)
    wide = np.zeros_like(exact)
    wide[:, first - exact_first : first - exact_first + shares.shape[1]] = shares
    assert np.abs(wide - exact).max() <= 1 / key_range + 1e-9


def test_shares_are_told_by_noise():
    shares, first = noise_shares(ptable_of({0: {0: 1.0}, 1: {-1: 0.25, 2: 0.5, 0: 0.25}}))
    assert first == -1
    assert shares.tolist() == [[0, 1, 0, 0], [0.25, 0.25, 0, 0.5]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({0: {0: 1.0}}, "rows must run from 0"),
        ({0: {0: 1.0}, 2: {0: 1.0}}, "rows must run from 0"),
        ({1: {0: 1.0}}, "rows must run from 0"),
        ({0: {0: 0.5, 1: 0.5}, 1: {0: 1.0}}, "zeros must be kept"),
        ({0: {0: 1.0}, 1: {-2: 0.5, 2: 0.5}}, "below 0"),
        ({0: {0: 1.0}, 1: {-1: 0.5, 1: 0.4}}, "must be 1 at the end"),
        ({0: {0: 1.0}, 1: {-1: 1.2, 1: -0.2}}, "must not fall"),
    ],
)
def test_no_ptable(rows, told):
    with pytest.raises(ValueError, match=told):
        ptable_of(rows)


def test_no_key_table():
    with pytest.raises(ValueError, match="int16"):
        KeyTable(noise=np.zeros((2, 4)))
    with pytest.raises(ValueError, match="zeros must be kept"):
        KeyTable(noise=np.ones((2, 4), np.int16))
    with pytest.raises(ValueError, match="below 0"):
        KeyTable(noise=np.array([[0, 0], [0, -2]], np.int16))
    with pytest.raises(ValueError, match=r"reuse \(3\)"):
        KeyTable(noise=np.zeros((2, 4), np.int16), reuse=3)


def test_keys_out_of_range():
    with pytest.raises(ValueError, match="from 0 to 255"):
        noise_of(ten_five(), np.array([3]), np.array([256]))
    with pytest.raises(ValueError, match="below 1"):
        noise_of(ptable_of({0: {0: 1.0}, 1: {0: 1.0}}), np.array([3]), np.array([1.0]))
    with pytest.raises(ValueError, match="every count"):
        noise_of(ten_five(), np.array([3]), np.array([1, 2]))
    with pytest.raises(ValueError, match="key_range"):
        in_keys(ptable_of({0: {0: 1.0}, 1: {0: 1.0}}), 1)
