"""What is told in words of rates and of estimates: how they were made, how far they can be relied on, whose they are.

The words themselves lie in ``reports/templates/derived.toml``.
"""

from collections.abc import Sequence

from reports.statements import licence_words, marker_meaning, words

__all__ = [
    "derived_marker_meaning",
    "estimate_headings",
    "estimate_sentences",
    "percentage",
    "rate_headings",
    "rate_sentences",
    "rate_source",
    "review_sentence",
]


def derived_marker_meaning(marker: str) -> str:
    """The words for a marker of a derived table."""
    own: dict[str, str] = words("derived")["markers"]
    return own[marker] if marker in own else marker_meaning(marker)


def percentage(share: float) -> str:
    """A share as a percentage with no more digits than it has, such as ``20`` or ``12.5``."""
    return f"{100 * share:.10g}"


def rate_headings(*, per: int, denominator: str) -> tuple[str, str]:
    """Headings of the rate and of its denominator."""
    told = words("derived")["heading"]
    return told["rate"].format(per=f"{per:,}"), told["denominator"].format(title=denominator)


def rate_source(source: str, denominator: str) -> str:
    """The source line of rates: that of the figures, and that of the denominators."""
    return str(words("derived")["rate"]["source"].format(source=source, denominator=denominator))


def rate_sentences(
    *,
    of: str,
    per: int,
    decimals: int,
    denominator: str,
    reference_date: str,
    source: str,
    licence: str,
    by: Sequence[str],
    dimensions: Sequence[str],
    zero: str,
    share: float,
    error: int,
    least: int,
) -> tuple[str, ...]:
    """How rates were made and what their markers mean.

    `by` are the words of the dimensions that the denominators are told by, `dimensions` those of the
    table; a figure is moved by at most `error`, and rates on figures below `least` are of low reliability.
    """
    told = words("derived")["rate"]
    places = {0: told["whole"], 1: told["decimal"]}.get(decimals, told["decimals"].format(decimals=decimals))
    texts = [
        told["made"].format(of=of, per=f"{per:,}", decimals=places),
        told["denominator"].format(
            title=denominator, reference_date=reference_date, source=source, licence=licence_words(licence)[0]
        ),
    ]
    if by:
        texts.append(told["by"].format(by=", ".join(by).lower()))
    elif dimensions:
        texts.append(told["alike"])
    texts += [told["zero"].format(zero=zero), told["missing"]]
    if error:
        texts.append(told["unreliable"].format(share=percentage(share), error=f"{error:,}", least=f"{least:,}"))
    return tuple(texts)


def estimate_headings(unit: str) -> tuple[str, str, str, str]:
    """Headings of the estimate, of its limits, and of the sample base."""
    told = words("derived")["heading"]
    return (*(told[name].format(unit=unit) for name in ("estimate", "lower", "upper")), told["base"])  # type: ignore[return-value]


def estimate_sentences(
    *,
    period: str,
    confidence: float,
    marked: bool,
    max_half_width: float | None,
    max_cv: float | None,
    min_base: int | None,
) -> tuple[str, ...]:
    """What estimates are and what their markers mean; a rule that is None does not apply."""
    told = words("derived")["estimate"]
    rules = [
        told["half_width"].format(limit=f"{max_half_width:g}") if max_half_width is not None else "",
        told["cv"].format(limit=percentage(max_cv)) if max_cv is not None else "",
        told["base"].format(limit=f"{min_base:,}") if min_base is not None else "",
    ]
    rules = [rule for rule in rules if rule]
    texts = [
        told["made"],
        told["period"].format(period=period),
        told["confidence"].format(confidence=percentage(confidence)),
        told["missing"],
        told["unreliable"].format(rules=told["or"].join(rules)) if rules else "",
        told["marked"] if marked else "",
    ]
    return tuple(text for text in texts if text)


def review_sentence(name: str, **told: object) -> str:
    """A sentence for the review report, from ``[review]`` of the words."""
    return str(words("derived")["review"][name].format(**told))
