"""Markers that give away, one by one, and tables whose markers do not."""

from dataclasses import replace

import numpy as np
import pytest
from attack_tools import CONVENTIONAL, EXACT, shown, tree, true_table

from sdc.attack.markers import Signs, audit_markers, telling_bounds
from sdc.attack.pieces import Piece, piece_of_table
from sdc.findings import Audit
from sdc.tables import LOW, SHOWN, SUPPRESSED, Method, Table


def piece_and_signs(
    counts: list[int],
    total: int,
    signs: dict[int, tuple[str, str]],
    *,
    method: Method = EXACT,
    truth: Table | None = None,
    explained: bool = False,
) -> tuple[Piece, Signs]:
    """Areas of one larger area; `signs` by area: text and kind."""
    number = len(counts)
    true = true_table(tree([0] * number), counts)
    markers = np.full((number, 1), SHOWN, np.int8)
    for area, (_, kind) in signs.items():
        markers[area] = LOW if kind == "low" else SUPPRESSED
    values = np.where(markers == SHOWN, np.array(counts)[:, None], 0)
    piece = piece_of_table("t", shown(true, [values, [[total]]], method, [markers, [[SHOWN]]]), truth=truth)
    texts = tuple(dict.fromkeys(signs.values()))
    return piece, Signs(
        texts=tuple(text for text, _ in texts),
        kinds=tuple(kind for _, kind in texts),
        shape=piece.values.shape,
        places=np.array(list(signs), np.int64),
        of=np.array([texts.index(each) for each in signs.values()], np.int64),
        explained=explained,
    )


def told(piece: Piece, signs: Signs) -> Audit:
    lo, hi = telling_bounds(piece, signs, min_count=5)
    return audit_markers(replace(piece, lo=lo, hi=hi), signs, min_count=5)


def bounds(piece: Piece, signs: Signs) -> list[tuple[int, int]]:
    lo, hi = telling_bounds(piece, signs, min_count=5)
    return list(zip(lo.ravel().tolist(), hi.ravel().tolist(), strict=True))


def test_a_primary_marker_says_that_counts_are_small() -> None:
    piece, signs = piece_and_signs([3, 9, 20], 32, {0: ("c1", "primary"), 1: ("c2", "secondary")})
    assert bounds(piece, signs)[0] == (1, 4)
    audit = told(piece, signs)
    (finding,) = [f for f in audit.findings if "stands for primary" in f.witness]
    assert (finding.kind, finding.severity, finding.interval) == ("marker", "disclosure", (1, 4))
    assert "'c2' says that a hidden count is 0 or at least 5" in finding.witness


@pytest.mark.parametrize(("left", "secondary"), [(4, (0, 0)), (10, (6, 9))])
def test_a_secondary_marker_rules_out_small_counts(left: int, secondary: tuple[int, int]) -> None:
    """Two hidden cells that are 4 together, or 10: the secondary one is 0 then, or what 1 to 4 leave."""
    piece, signs = piece_and_signs([1, left - 1, 22], 22 + left, {0: ("c1", "primary"), 1: ("c2", "secondary")})
    assert bounds(piece, signs)[1] == secondary


def test_low_beside_zero_tells_somebody_from_nobody() -> None:
    piece, signs = piece_and_signs([1, 0, 10], 10, {0: ("low", "low")}, method=CONVENTIONAL)
    assert bounds(piece, signs)[:2] == [(1, 2), (0, 0)]
    audit = told(piece, signs)
    assert [f.severity for f in audit.findings if "rounded to 0" in f.witness] == ["disclosure"]


def test_low_for_every_zero_tells_nothing() -> None:
    piece, signs = piece_and_signs([1, 0, 10], 10, {0: ("low", "low"), 1: ("low", "low")}, method=CONVENTIONAL)
    assert bounds(piece, signs)[:2] == [(0, 2), (0, 2)]
    assert not told(piece, signs).findings


def test_a_sign_for_nobody_makes_the_other_zeros_somebody() -> None:
    piece, signs = piece_and_signs([0, 0, 10], 10, {0: ("-", "zero")}, method=CONVENTIONAL)
    assert bounds(piece, signs)[:2] == [(0, 0), (1, 2)]
    assert ["'-' stands for nobody" in f.witness for f in told(piece, signs).findings] == [True]


def test_nobody_among_figures_as_counted_is_no_news() -> None:
    piece, signs = piece_and_signs([0, 6, 10], 16, {0: ("-", "zero")})
    assert not told(piece, signs).findings


def test_a_range_and_the_sums_leave_one_count() -> None:
    """Two of "fewer than 5" add up to 8; to 7, they do not tell which is which."""
    for total, number in ((28, 1), (27, 0)):
        piece, signs = piece_and_signs(
            [4, total - 24, 20], total, {0: ("fewer than 5", "range"), 1: ("fewer than 5", "range")}
        )
        hi = piece.hi.copy()
        hi[:2] = 4
        audit = told(replace(piece, hi=hi), signs)
        assert len([f for f in audit.findings if "one count alone" in f.witness]) == number


def test_what_the_sums_say_alone_is_not_laid_on_the_marker() -> None:
    piece, signs = piece_and_signs([3, 20], 23, {0: ("fewer than 5", "range")})
    hi = piece.hi.copy()
    hi[0] = 4
    assert not told(replace(piece, hi=hi), signs).findings


def test_two_markers_unexplained_are_a_warning_and_the_truth_decides() -> None:
    counts = [2, 3, 9, 8, 30]
    signs = {0: ("c", "hidden"), 1: ("c", "hidden"), 2: ("*", "hidden"), 3: ("*", "hidden")}
    piece, own = piece_and_signs(counts, 52, signs)
    assert [f.severity for f in told(piece, own).findings] == ["warning"]
    true = true_table(tree([0] * 5), counts)
    piece, own = piece_and_signs(counts, 52, signs, truth=true)
    assert [(f.severity, f.interval) for f in told(piece, own).findings] == [("disclosure", (1, 4))]
    mixed = {**signs, 1: ("*", "hidden"), 2: ("c", "hidden")}
    piece, own = piece_and_signs(counts, 52, mixed, truth=true, explained=True)
    assert not told(piece, own).findings


def test_signs_are_of_their_own_table() -> None:
    piece, signs = piece_and_signs([3, 9, 20], 32, {0: ("c1", "primary")})
    assert signs.fits(piece)
    assert not signs.fits(replace(piece, markers=np.zeros_like(piece.markers)))
    other, _ = piece_and_signs([3, 9], 12, {0: ("c1", "primary")})
    assert not signs.fits(other)
    with pytest.raises(ValueError, match="kind"):
        Signs(texts=("c",), kinds=("odd",), shape=(1,), places=np.zeros(1, np.int64), of=np.zeros(1, np.int64))
