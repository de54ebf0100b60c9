"""The roundings that ``protect`` offers: controlled, conventional, random, small counts."""

from dataclasses import asdict

from releases.protect.asked import LEAKS, Asked, Protected, valid, with_key
from releases.rules.methodoptions import MethodOptions
from sdc.presentation import shown_table
from sdc.rounding.controlled import ControlledRounding, round_controlled
from sdc.rounding.conventional import round_conventional
from sdc.rounding.nearest import MinimumDistance, protect_nearest
from sdc.rounding.random import RandomRounding, protect_random
from sdc.rounding.smallcounts import SmallCountRounding, protect_small_counts
from sdc.rules.settings import Settings

__all__ = ["controlled", "conventional", "nearest_asked", "random", "rounding_spec", "small_counts"]


def nearest_asked(options: MethodOptions) -> bool:
    """Whether controlled rounding is asked for at minimum distance."""
    return options.aim == "minimum-distance"


def rounding_spec(
    settings: Settings, options: MethodOptions
) -> ControlledRounding | MinimumDistance | RandomRounding | SmallCountRounding | None:
    """What is asked of a rounding; None for conventional rounding, which takes no spec.

    Raises
    ------
    Infeasible
        The base is below min_count, or a share of 0 is drawn by chance at minimum distance.
    InputError
        An option lies outside its range.
    """
    base, least = settings.base, settings.min_count
    if settings.method == "random-rounding":
        return RandomRounding(base=base, min_count=least)
    if settings.method == "small-count-rounding":
        return valid(
            lambda: SmallCountRounding(
                base=base, min_count=least, max_round=options.max_round, share=_share(options, SmallCountRounding.share)
            ),
            "--max-round",
        )
    if settings.method != "controlled-rounding":
        return None
    if nearest_asked(options):
        return valid(
            lambda: MinimumDistance(
                base=base, min_count=least, weights=options.weights, share=_share(options, MinimumDistance.share)
            ),
            "--weights",
        )
    return ControlledRounding(base=base, min_count=least)


def _share(options: MethodOptions, usual: float) -> float:
    return usual if options.share is None else options.share


def controlled(asked: Asked) -> Protected:
    """Controlled rounding: unbiased, or at minimum distance."""
    key, drawn = with_key(asked)
    spec = rounding_spec(asked.settings, asked.options)
    if isinstance(spec, MinimumDistance):
        safe, path = protect_nearest(asked.table, spec=spec, key=key, progress=asked.progress)
        notice = "at minimum distance figures are nearer to the counts, and not unbiased: sums of your own may drift"
        return Protected(safe=safe, report=asdict(path), notices=(drawn, notice, *_alone(asked)))
    assert isinstance(spec, ControlledRounding)
    tables, way = round_controlled({asked.name: asked.table}, spec=spec, key=key, progress=asked.progress)
    return Protected(safe=tables[asked.name], report=asdict(way), notices=(drawn, *_alone(asked)))


def _alone(asked: Asked) -> tuple[str, ...]:
    if not asked.alone or not len(asked.table.classification):
        return ()
    return (
        "totals are drawn for this table alone: another table of the same people that is protected apart may show "
        "others, which tells more of both; name the first with --already-public when you protect the second",
    )


def conventional(asked: Asked) -> Protected:
    """Conventional rounding, or the bands in which a profile shows counts."""
    asked.progress.step("rounding")
    notice = f"conventional rounding leaks by itself: totals are rounded apart from their parts, so that {LEAKS}"
    if asked.bands:
        safe, told = shown_table(asked.table, asked.bands, min_count=asked.settings.min_count)
        return Protected(safe=safe, told=told, notices=(notice,))
    safe = round_conventional(asked.table, base=asked.settings.base, min_count=asked.settings.min_count)
    return Protected(safe=safe, notices=(notice,))


def random(asked: Asked) -> Protected:
    """Unbiased random rounding, every cell by itself."""
    key, drawn = with_key(asked)
    spec = rounding_spec(asked.settings, asked.options)
    assert isinstance(spec, RandomRounding)
    safe, report = protect_random(asked.table, spec=spec, key=key, progress=asked.progress)
    notice = f"random rounding leaks by itself: totals are drawn apart from their parts, so that {LEAKS}"
    return Protected(safe=safe, report=asdict(report), notices=(drawn, notice))


def small_counts(asked: Asked) -> Protected:
    """Small-count rounding: small finest cells become 0 or the base, and everything is added up anew."""
    key, drawn = with_key(asked)
    spec = rounding_spec(asked.settings, asked.options)
    assert isinstance(spec, SmallCountRounding)
    safe, report = protect_small_counts(asked.table, spec=spec, key=key, progress=asked.progress)
    notices = ["small-count rounding sets no bound on the error of sums: the private report tells what it came to"]
    if spec.share == 0:
        notices.append("with a share of 0 drawn by chance the choice of cells can be run backwards")
    return Protected(safe=safe, report=asdict(report), notices=(drawn, *notices))
