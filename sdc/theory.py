"""Theoretical error: what a method can do to a figure, told from the method alone.

It may be published, because it is never measured against true counts.  With
rounding base b, a true count x of remainder m = x mod b, f = m / b, and the
error e = published - true:

=======================  ===============================  ===============================
given the count          unbiased rounding                conventional rounding
=======================  ===============================  ===============================
error                    -m or b - m, up w.p. f           -m if m < b / 2, else b - m
largest |e|              b - 1                            floor(b / 2)
mean of e                0                                the error itself
mean of |e|              2b f(1 - f) = 2m(b - m) / b      the error itself
variance of e            b² f(1 - f) = m(b - m)           0
                         at most b² / 4
=======================  ===============================  ===============================

=======================  ===============================  ===============================
all remainders alike     unbiased rounding                conventional rounding
=======================  ===============================  ===============================
mean of e                0                                0 (b odd), 1 / 2 (b even)
mean of |e|              (b² - 1) / (3b)                  (b² - 1) / (4b) (odd), b / 4 (even)
variance of e            (b² - 1) / 6                     (b² - 1) / 12
=======================  ===============================  ===============================

Unbiased rounding is random rounding and unbiased controlled rounding (Cox,
"A constructive procedure for unbiased controlled rounding", JASA 82 (1987),
520-524).  Cells of controlled rounding depend on each other, and linked tables
force a few cells against their draw: what is said of sums and of the mean keeps
to what holds then too.  Minimum distance is not unbiased, and neither is
small-count rounding; what noise and suppression do is no matter of the method alone.
"""

from dataclasses import dataclass
from math import floor, sqrt

from sdc.attack.intervals import reach
from sdc.tables import Method

__all__ = [
    "SumError",
    "TheoreticalError",
    "error_sentences",
    "has_theory",
    "sum_error",
    "theoretical_error",
    "unbiased_variance",
]

UNBIASED = ("controlled-rounding", "random-rounding")
WITH_THEORY = (*UNBIASED, "conventional-rounding", "exact")


@dataclass(frozen=True, kw_only=True)
class TheoreticalError:
    """The error of one published figure; counts as unit.

    Attributes
    ----------
    method : the method it belongs to.
    below, above : how far below and above the published figure the true count may lie.
    bias, mean_absolute, variance : mean of e, mean of |e| and variance of e, over
        draws and over counts of which all remainders are equally frequent.
    deviation_at_most : no figure's error has a larger standard deviation: b / 2 for
        unbiased rounding (over draws, whatever the count), (b - 1) / 2 for
        conventional rounding (over counts, however they are distributed).
    independent : whether figures are drawn apart from each other.
    """

    method: Method
    below: int
    above: int
    bias: float
    mean_absolute: float
    variance: float
    deviation_at_most: float
    independent: bool

    @property
    def largest(self) -> int:
        """The largest |e|."""
        return max(self.below, self.above)

    @property
    def deviation(self) -> float:
        """Standard deviation of e over draws and counts: sqrt((b² - 1) / 6) for unbiased rounding."""
        return sqrt(self.variance)


@dataclass(frozen=True, kw_only=True)
class SumError:
    """The error of a sum of n published figures that a reader adds up.

    Attributes
    ----------
    cells : n.
    largest : n × the largest error of one figure.
    deviation_if_independent : sqrt(n) × the standard deviation of one figure, all remainders
        equally frequent; a guide, and no bound where figures depend on each other.
    deviation_at_most : n × `deviation_at_most` of one figure, which holds
        however they depend on each other (Cauchy-Schwarz).
    """

    cells: int
    largest: int
    deviation_if_independent: float
    deviation_at_most: float


def has_theory(method: Method) -> bool:
    """Whether a figure's error follows from the method alone."""
    return method.name in WITH_THEORY and method.aim == "unbiased" and not method.steps


def theoretical_error(method: Method) -> TheoreticalError:
    """The error of one figure made by `method`; the formulas stand at the head of this module.

    Raises
    ------
    ValueError
        The method is not known, or its error does not follow from the method alone:
        minimum distance, small-count rounding, steps, cell keys, suppression.
    """
    if not has_theory(method):
        raise ValueError(f"the error of {method.name} does not follow from the method alone")
    below, above = reach(method)
    base = method.base
    if method.name == "exact":
        moments = (0.0, 0.0, 0.0, 0.0)
    elif method.name in UNBIASED:
        moments = (0.0, (base**2 - 1) / (3 * base), (base**2 - 1) / 6, base / 2)
    elif base % 2:
        moments = (0.0, (base**2 - 1) / (4 * base), (base**2 - 1) / 12, (base - 1) / 2)
    else:
        moments = (0.5, base / 4, (base**2 - 1) / 12, (base - 1) / 2)
    bias, mean_absolute, variance, deviation_at_most = moments
    return TheoreticalError(
        method=method,
        below=below,
        above=above,
        bias=bias,
        mean_absolute=mean_absolute,
        variance=variance,
        deviation_at_most=deviation_at_most,
        independent=method.name != "controlled-rounding",
    )


def unbiased_variance(base: int, remainder: int) -> int:
    """Variance b² f(1 - f) = m(b - m) of the unbiased rounding of a count of remainder m, 0 <= m < b.

    >>> [unbiased_variance(5, m) for m in range(5)]
    [0, 4, 6, 6, 4]

    Raises
    ------
    ValueError
        The remainder is not one of the base.
    """
    if not 0 <= remainder < base:
        raise ValueError(f"remainder ({remainder}) must be at least 0 and below the base ({base})")
    return remainder * (base - remainder)


def sum_error(error: TheoreticalError, cells: int) -> SumError:
    """The error of the sum of `cells` published figures, none of which counts a record that another counts.

    Raises
    ------
    ValueError
        `cells` is below 1.
    """
    if cells < 1:
        raise ValueError(f"cells ({cells}) must be at least 1")
    return SumError(
        cells=cells,
        largest=cells * error.largest,
        deviation_if_independent=sqrt(cells) * error.deviation,
        deviation_at_most=cells * error.deviation_at_most,
    )


def error_sentences(error: TheoreticalError, *, cells: int = 10) -> tuple[str, ...]:
    """What a reader may be told of the error, a sentence each; `cells` is how many figures the example adds up."""
    if error.largest == 0:
        return ("Figures are shown as they were counted.",)
    if error.method.name == "conventional-rounding":
        return _conventional_sentences(error, cells)
    return _unbiased_sentences(error) + _dependence_sentences(error, cells)


def _unbiased_sentences(error: TheoreticalError) -> tuple[str, ...]:
    base = error.method.base
    return (
        f"Every figure is a multiple of {base} and differs from the true count by less than {base}.",
        f"A true count that is a multiple of {base} is shown as it is. Any other is shown as one of the two multiples "
        f"of {base} next to it: the nearer a multiple, the likelier it is.",
        "Rounding up and rounding down are balanced, so that the error expected of a figure is 0"
        + (", but for the few figures that are moved so that all tables add up." if not error.independent else "."),
        f"Over many figures of which all remainders are equally frequent, the error is {_told(error.mean_absolute)} on "
        f"average, taken without its sign, and its standard deviation is {_told(error.deviation)}. "
        f"For no figure is the standard deviation above {_told(error.deviation_at_most)}.",
    )


def _dependence_sentences(error: TheoreticalError, cells: int) -> tuple[str, ...]:
    base, added = error.method.base, sum_error(error, cells)
    if error.independent:
        return (
            f"A sum of {cells} figures can differ from the true sum by up to {added.largest:,}; the standard deviation "
            f"of its error is about {_told(added.deviation_if_independent)}.",
            "Totals are rounded apart from their parts, so that parts need not add up to the totals shown.",
        )
    return (
        f"Figures add up to the totals shown. A published total differs from the true total by less than {base}, "
        "however many figures it is the sum of: use it rather than a sum of your own, where there is one.",
        "Figures under one total are rounded together, so that their errors are not independent. A sum of "
        f"{cells} figures for which no total is published can differ from the true sum by up to {added.largest:,}. "
        "If the errors were independent, the standard deviation of its error would be about "
        f"{_told(added.deviation_if_independent)}; it cannot be above {_told(added.deviation_at_most)}.",
    )


def _conventional_sentences(error: TheoreticalError, cells: int) -> tuple[str, ...]:
    base = error.method.base
    added = sum_error(error, cells)
    bias = f" It is {_told(error.bias)} too high on average, because halves are rounded up." if error.bias else ""
    return (
        f"Every figure is the multiple of {base} nearest to the true count. "
        f"It differs from the true count by at most {error.largest}.",
        f"Over many figures of which all remainders are equally frequent, the error is {_told(error.mean_absolute)} on "
        f"average, taken without its sign, and its standard deviation is {_told(error.deviation)}.{bias}",
        "Where many counts are small their errors do not balance out: most are rounded the same way.",
        f"A sum of {cells} figures can differ from the true sum by up to {added.largest:,}. "
        "Totals are rounded apart from their parts, so that parts need not add up to the totals shown.",
    )


def _told(value: float) -> str:
    """A number with at most one decimal place, rounded up, so that nothing is told smaller than it is."""
    tenths = floor(value * 10)
    tenths += value * 10 - tenths > 1e-9
    return f"{tenths / 10:,.1f}".removesuffix(".0")
