"""The suppression that ``protect`` offers: rules flag cells, others are hidden with them, an audit has the last word."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

import numpy as np

from common.faults import Fault, InputError
from releases.protect.asked import Asked, Protected, valid, with_key
from releases.protect.cellchoices import read_choices
from releases.rules.methodoptions import MethodOptions, cost_factors
from sdc.rules.flags import Flags, apply_rules, flag_counts
from sdc.rules.settings import Settings, rules_of
from sdc.suppression.advise import advise
from sdc.suppression.plan import Masks
from sdc.suppression.report import REASONS, STATUSES, LevelLoss, SuppressionReport
from sdc.suppression.spec import SuppressionSpec
from sdc.suppression.suppress import suppress_table
from sdc.tables import Table

__all__ = ["loss_as_dict", "share_notices", "suppression", "suppression_options"]


def suppression(asked: Asked) -> Protected:
    """Suppression of flagged cells and of as few others as is found to be enough; written only if the audit is clean."""
    key, drawn = with_key(asked)
    spec = _spec(asked.settings, asked.options, asked.table)
    choices = None if asked.options.cells is None else read_choices(asked.options.cells, asked.table)
    flag = _rules(asked)
    flags = flag(asked.table)
    safe, report = suppress_table(
        asked.table,
        primary=flags.hit,
        spec=spec,
        key=key,
        choices=choices,
        known=asked.known,
        progress=asked.progress,
    )
    advice: tuple[str, ...] = ()
    if report.above_share:
        tried = advise(asked.table, flag=lambda table: flag(table).hit, spec=spec, key=key, progress=asked.progress)
        advice = tuple(one.sentence() for one in tried)
    return Protected(
        safe=safe,
        report=_told(report, flags, asked.table, advice),
        status=_status_names(report.status),
        intervals=report.intervals,
        notices=(drawn, *share_notices(report.losses, report.above_share, spec, advice)),
    )


def _spec(settings: Settings, options: MethodOptions, table: Table) -> SuppressionSpec:
    """What is asked of suppression.

    Raises
    ------
    InputError
        A level or category is not the table's, or an option lies outside its range.
    """
    levels, categories = {}, {}
    by_code = {"/".join(category): category for category in table.classification.columns}
    for name, factor in cost_factors(options.costs).items():
        if name in table.hierarchy.levels:
            levels[name] = factor
        elif name in by_code:
            categories[by_code[name]] = factor
        else:
            found, mend = f"'{name}' is no level and no category", "use a level of the nest or a category: uc=5"
            raise InputError([Fault(kind="option", key="--cost", found=found, mend=mend)])
    return valid(
        lambda: replace(suppression_options(settings, options), level_factors=levels, category_factors=categories),
        "--method",
    )


def suppression_options(settings: Settings, options: MethodOptions) -> SuppressionSpec:
    """What is asked of suppression beside costs (raises InputError where an option lies outside its range)."""
    return valid(
        lambda: SuppressionSpec(
            min_count=settings.min_count,
            show_levels=options.show_levels,
            show_totals=options.show_totals,
            hide_zeros=not options.show_zeros,
            lone_claimants=options.lone_claimants,
            decoys=SuppressionSpec.decoys if options.decoys is None else options.decoys,
            max_share=SuppressionSpec.max_share if options.max_hidden is None else options.max_hidden,
        ),
        "--method",
    )


def _rules(asked: Asked) -> Callable[[Table], Flags]:
    rules = rules_of(asked.settings, sensitive=asked.sensitive)
    return lambda table: apply_rules(table, rules)


def share_notices(
    losses: Sequence[LevelLoss], above: Sequence[str], spec: SuppressionSpec, advice: tuple[str, ...]
) -> tuple[str, ...]:
    """The levels of which too much is hidden, and what would pass instead; nothing where there are none."""
    shares = {loss.level: loss.share for loss in losses}
    told = [f"{shares[level]:.0%} of the cells of {level} are hidden" for level in above]
    if not told:
        return ()
    return (f"{', '.join(told)}: more than {spec.max_share:.0%}", *advice)


def _told(report: SuppressionReport, flags: Flags, table: Table, advice: tuple[str, ...]) -> dict[str, object]:
    return {
        "path": report.path,
        "solver": "none: shortest paths on the network, judged by an exact audit",
        "reasons": {STATUSES[code]: reason for code, reason in REASONS.items()},
        "rules": flag_counts(flags, table.hierarchy.levels),
        "loss": [loss_as_dict(loss) for loss in report.losses],
        "figures": report.figures,
        "above_share": list(report.above_share),
        "advice": list(advice),
    }


def loss_as_dict(loss: LevelLoss) -> dict[str, object]:
    """What is hidden at one level as plain data."""
    return {**asdict(loss), "hidden": loss.hidden, "share": loss.share}


def _status_names(status: Masks) -> Masks:
    names = np.array([STATUSES[code] for code in sorted(STATUSES)], dtype=object)
    return tuple(names[codes] for codes in status)
