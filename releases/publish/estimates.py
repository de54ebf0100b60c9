"""Survey estimates that a user supplies, with their confidence limits, and which of them can be relied on.

They are no counts of claimants, and nothing here protects or attacks them.  An
estimate e with limits l <= e <= u at confidence c is of low reliability where its source marks it
``u``, or where a rule that the release file states says so, on the figures as published:

    (u - l) / 2 > max_half_width
    (u - l) / (2 z |e|) > max_cv      z the normal quantile of (1 + c) / 2; always so where e = 0 and l < u
    base < min_base
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from re import compile as pattern
from statistics import NormalDist

import numpy as np

from common.faults import Faults
from releases.files.wholenumbers import whole_number
from releases.publish.areafiles import AreaRows, place_rows, spread
from releases.publish.statspec import EstimateSpec
from reports.derived import DERIVED_MARKERS, LOW_RELIABILITY, DerivedTable, FigureColumn
from reports.derivedwords import estimate_headings, estimate_sentences
from reports.statements import words
from sdc.tables import NOT_AVAILABLE, NOT_PUBLISHED, SHOWN, Classification, Hierarchy

__all__ = ["is_weak", "read_estimates"]

NUMBER = pattern(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
BLANK = np.iinfo(np.int64).min
NO_NUMBER = BLANK + 1
CODES = {text: marker for marker, text in DERIVED_MARKERS.items() if text}


def read_estimates(spec: EstimateSpec, hierarchy: Hierarchy, faults: Faults) -> tuple[DerivedTable, int] | None:
    """The table of the estimates of one file, and rows left out; None where `faults` tells why there is none."""
    before = len(faults.found)
    numbers = [spec.estimate, spec.lower, spec.upper, *([spec.base] if spec.base else [])]
    rows = place_rows(spec, hierarchy, {}, faults, numbers=numbers, texts=[spec.marker] if spec.marker else [])
    lines = [rows.tidy.row(int(at)) for at in rows.kept]
    value, lower, upper = (
        _decimals(rows.texts(name), lines, name, spec.decimals, faults)
        for name in (spec.estimate, spec.lower, spec.upper)
    )
    base = _bases(rows.texts(spec.base), lines, spec.base, faults) if spec.base else np.full(len(lines), BLANK)
    marks = _marks(rows, lines, spec.marker, faults)
    _tell_disorder(spec, (value, lower, upper), marks, lines, faults)
    if len(faults.found) > before:
        return None
    weak = is_weak(
        value,
        lower,
        upper,
        base,
        decimals=spec.decimals,
        confidence=spec.confidence,
        max_half_width=spec.max_half_width,
        max_cv=spec.max_cv,
        min_base=spec.min_base,
    )
    shown = value != BLANK
    marks = np.where(shown & weak, LOW_RELIABILITY, np.where(~shown & (marks == SHOWN), NOT_AVAILABLE, marks))
    return _table(spec, hierarchy, rows, (value, lower, upper, base), marks), rows.left_out


def is_weak(
    value: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    base: np.ndarray,
    *,
    decimals: int,
    confidence: float,
    max_half_width: float | None = None,
    max_cv: float | None = None,
    min_base: int | None = None,
) -> np.ndarray:
    """Which estimates a rule finds of low reliability; figures in steps of 10 ** -`decimals`, `BLANK` where none.

    >>> said = (np.array([120, 0]), np.array([100, -5]), np.array([140, 5]), np.array([80, 80]))
    >>> is_weak(*said, decimals=1, confidence=0.95, max_half_width=1.9)
    array([ True, False])
    >>> is_weak(*said, decimals=1, confidence=0.95, max_cv=0.2)
    array([False,  True])
    """
    weak = np.zeros(len(value), bool)
    limited = (value != BLANK) & (lower != BLANK)
    width = np.where(limited, upper - lower, 0)
    if max_half_width is not None:
        limit = 2 * Fraction(str(max_half_width)) * 10**decimals
        weak |= width * limit.denominator > limit.numerator
    if max_cv is not None:
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        weak |= width > 2 * z * max_cv * np.abs(np.where(limited, value, 0))
    if min_base is not None:
        weak |= (base != BLANK) & (base < min_base)
    return weak


def _decimals(texts: np.ndarray, lines: Sequence[int], column: str, decimals: int, faults: Faults) -> np.ndarray:
    """Numbers in steps of 10 ** -`decimals`, rounded half away from 0; `BLANK` where blank.

    For any other text there is a fault, and `NO_NUMBER`.
    """
    different, index = np.unique(texts, return_inverse=True)
    wrong = np.array([bool(text) and not NUMBER.fullmatch(text) for text in different.tolist()])
    for at in np.flatnonzero(wrong[index]).tolist():
        mend = "give a number such as 12.3, or leave it blank"
        faults.add("estimate", "a figure that is no number", mend, row=lines[at], column=column)
    steps = [
        BLANK
        if not text
        else NO_NUMBER
        if bad
        else int(Decimal(text).scaleb(decimals).to_integral_value(ROUND_HALF_UP))
        for text, bad in zip(different.tolist(), wrong.tolist(), strict=True)
    ]
    return np.array(steps, np.int64)[index]


def _bases(texts: np.ndarray, lines: Sequence[int], column: str, faults: Faults) -> np.ndarray:
    different, index = np.unique(texts, return_inverse=True)
    known = [BLANK if not text else whole_number(text) for text in different.tolist()]
    for at in np.flatnonzero(np.array([one is None for one in known])[index]).tolist():
        mend = "give a whole number of at least 0, or leave it blank"
        faults.add("base", "a sample base that is no whole number", mend, row=lines[at], column=column)
    return np.array([BLANK if one is None else one for one in known], np.int64)[index]


def _marks(rows: AreaRows, lines: Sequence[int], column: str | None, faults: Faults) -> np.ndarray:
    """The markers that the file gives, as numbers; all `SHOWN` where it has no column of them."""
    if column is None:
        return np.zeros(len(lines), np.int8)
    different, index = np.unique(rows.texts(column), return_inverse=True)
    bare = [text.lower().removeprefix("[").removesuffix("]") for text in different.tolist()]
    known = [SHOWN if not text else CODES.get(text, -1) for text in bare]
    for at in np.flatnonzero(np.array(known)[index] < 0).tolist():
        faults.add("marker", "a marker that is not known", f"use {', '.join(CODES)}", row=lines[at], column=column)
    return np.array(known, np.int8)[index]


def _tell_disorder(
    spec: EstimateSpec,
    figures: tuple[np.ndarray, np.ndarray, np.ndarray],
    marks: np.ndarray,
    lines: Sequence[int],
    faults: Faults,
) -> None:
    """A fault for each row whose limits or marker do not fit its estimate."""
    value, lower, upper = figures
    none, low, high = (one == BLANK for one in figures)
    told = (value == NO_NUMBER) | (lower == NO_NUMBER) | (upper == NO_NUMBER)
    limits = "give both limits, or take both out"
    rules = (
        (
            none & ~(low & high),
            spec.estimate,
            "limits without an estimate",
            "give the estimate, or take the limits out",
        ),
        (~none & (low != high), spec.lower, "one limit without the other", limits),
        (~none & low & high, spec.lower, "an estimate without limits", "give both limits"),
        (~none & ~low & (lower > value), spec.lower, "a lower limit above the estimate", "correct the row"),
        (~none & ~high & (upper < value), spec.upper, "an upper limit below the estimate", "correct the row"),
        (
            ~none & (marks > SHOWN) & (marks != LOW_RELIABILITY),
            spec.marker or "",
            "an estimate, and a marker that stands instead of one",
            "take one of them out",
        ),
        (none & (marks == LOW_RELIABILITY), spec.marker or "", "the marker u without an estimate", "use x instead"),
    )
    for wrong, column, found, mend in rules:
        for at in np.flatnonzero(wrong & ~told).tolist():
            faults.add("limits", found, mend, row=lines[at], column=column)


def _table(
    spec: EstimateSpec, hierarchy: Hierarchy, rows: AreaRows, figures: tuple[np.ndarray, ...], marks: np.ndarray
) -> DerivedTable:
    levels = sorted(
        {hierarchy.levels.index(name) for name in spec.level} | {int(level) for level in np.unique(rows.level)}
    )
    names = ("value", "ci_lower", "ci_upper", *(["base"] if spec.base else []))
    columns = []
    for name, heading, values in zip(names, estimate_headings(spec.unit), figures, strict=False):
        parts, missing = [], []
        for level, units in enumerate(hierarchy.units):
            one = spread(rows, values, level, (units,), BLANK)[:, None]
            mark = spread(rows, marks.astype(np.int8), level, (units,), NOT_AVAILABLE)[:, None]
            instead = np.where(mark == LOW_RELIABILITY, SHOWN, mark)
            if name == "base":
                instead = np.where(one == BLANK, NOT_AVAILABLE, SHOWN)
            parts.append(np.where(instead == SHOWN, one, 0))
            missing.append(
                np.full((units, 1), NOT_PUBLISHED, np.int8) if level not in levels else instead.astype(np.int8)
            )
        decimals = 0 if name == "base" else spec.decimals
        columns.append(
            FigureColumn(name=name, heading=heading, values=tuple(parts), markers=tuple(missing), decimals=decimals)
        )
    markers = [
        spread(rows, marks.astype(np.int8), level, (units,), NOT_AVAILABLE)[:, None]
        if level in levels
        else np.full((units, 1), NOT_PUBLISHED, np.int8)
        for level, units in enumerate(hierarchy.units)
    ]
    told = words("derived")["estimate"]
    return DerivedTable(
        id=spec.id,
        title=spec.title,
        kind="estimate",
        hierarchy=hierarchy,
        classification=Classification(dimensions=(), categories=()),
        columns=tuple(columns),
        markers=tuple(markers),
        dimension_names={},
        labels={},
        made=estimate_sentences(
            period=spec.period,
            confidence=spec.confidence,
            marked=spec.marker is not None,
            max_half_width=spec.max_half_width,
            max_cv=spec.max_cv,
            min_base=spec.min_base,
        ),
        protection=told["protection"],
        source=spec.source,
        status=spec.status,
        period=spec.period,
        attributions=(spec.attribution,) if spec.attribution else (),
        notes=spec.notes,
        facts=_facts(spec, [hierarchy.levels[level] for level in levels]),
    )


def _facts(spec: EstimateSpec, levels: list[str]) -> dict[str, object]:
    """What programs are told of the estimates."""
    decimals = dict.fromkeys(("value", "ci_lower", "ci_upper"), spec.decimals) | ({"base": 0} if spec.base else {})
    return {
        "levels": levels,
        "unit": spec.unit,
        "period": spec.period,
        "confidence": spec.confidence,
        "decimals": decimals,
        "status": spec.status,
        "licence": spec.licence,
        "low_reliability": {
            "marked_by_source": spec.marker is not None,
            "max_half_width": spec.max_half_width,
            "max_cv": spec.max_cv,
            "min_base": spec.min_base,
        },
    }
