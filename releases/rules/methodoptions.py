"""Options of single methods: what each is for, and that nobody gives it to a method it means nothing to."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from common.faults import Fault, Faults, InputError
from sdc.cellkey.keys import DEFAULT_RANGE
from sdc.tables import AIMS

__all__ = ["MethodOptions", "check_method_options", "option_name"]

LARGEST_NOISE = 50
MOST_STEPS = 100


@dataclass(frozen=True, kw_only=True)
class MethodOptions:
    """What is asked of one method beside base and min_count; None and empty where the user said nothing.

    Attributes
    ----------
    aim, share, weights : of controlled-rounding: what it aims at, the share of cells drawn by chance
        at minimum distance, and what distance weighs at each level, smallest areas first.
    steps : of controlled-rounding where the table is no network: K.
    max_round : of small-count-rounding: the largest count that is rounded.  `share` is its as well.
    ptable, noise_bound, noise_variance, key_range : of cell-key: a ptable file, or what the
        designer is asked for (D and V), and the range of keys.
    show_levels, show_totals : of suppression: levels of which no cell, or no total, may be hidden.
    costs : of suppression: NAME=FACTOR, what hiding costs at a level or in a category.
    show_zeros : of suppression: zeros that no rule flags may not be hidden.
    lone_claimants : of suppression: whether people who stand alone in a cell are guarded against.
    decoys : of suppression: share of harmless cells hidden as if they were small.
    cells : of suppression: file of cells to hide, to show, or that are structural zeros.
    max_hidden : of suppression: the share of a level's cells above which the report says what else would pass.
    """

    aim: str | None = None
    share: float | None = None
    weights: tuple[float, ...] = ()
    steps: int | None = None
    max_round: int | None = None
    ptable: Path | None = None
    noise_bound: int | None = None
    noise_variance: float | None = None
    key_range: int | None = None
    show_levels: tuple[str, ...] = ()
    show_totals: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    show_zeros: bool = False
    lone_claimants: bool = True
    decoys: float | None = None
    cells: Path | None = None
    max_hidden: float | None = None

    @property
    def keys_below(self) -> int:
        """The range of keys: they are 0 to this less 1."""
        return DEFAULT_RANGE if self.key_range is None else self.key_range


ROUNDING, SMALL, NOISE, HIDING = "controlled-rounding", "small-count-rounding", "cell-key", "suppression"
SERVES: dict[str, tuple[str, ...]] = {
    "aim": (ROUNDING,),
    "share": (ROUNDING, SMALL),
    "weights": (ROUNDING,),
    "steps": (ROUNDING,),
    "max_round": (SMALL,),
    "ptable": (NOISE,),
    "noise_bound": (NOISE,),
    "noise_variance": (NOISE,),
    "key_range": (NOISE,),
    "show_levels": (HIDING,),
    "show_totals": (HIDING,),
    "costs": (HIDING,),
    "show_zeros": (HIDING,),
    "lone_claimants": (HIDING,),
    "decoys": (HIDING,),
    "cells": (HIDING,),
    "max_hidden": (HIDING,),
}
NAMES = {"lone_claimants": "--no-lone-claimants", "costs": "--cost"}


def option_name(field: str) -> str:
    """The option on the command line that sets a field."""
    return NAMES.get(field, f"--{field.replace('_', '-')}")


def check_method_options(options: MethodOptions, method: str | None, levels: Sequence[str], faults: Faults) -> None:
    """Refuse options of other methods, and values that lie outside their range.

    `method` is None where a profile may still say it; `levels` are the columns of the nest of areas.
    """
    for field in fields(options):
        given = getattr(options, field.name) != field.default
        if given and method is not None and method not in SERVES[field.name]:
            whose = " or ".join(SERVES[field.name])
            found, mend = f"means nothing but for {whose}", f"leave it out, or give --method {whose}"
            faults.add("option", found, mend, key=option_name(field.name))
    _check_rounding(options, levels, faults)
    _check_noise(options, faults)
    _check_hiding(options, levels, faults)


def _check_rounding(options: MethodOptions, levels: Sequence[str], faults: Faults) -> None:
    if options.aim is not None and options.aim not in AIMS:
        faults.add("option", f"'{options.aim}' is no aim", f"use {' or '.join(AIMS)}", key="--aim")
    nearest = options.aim == AIMS[1]
    if options.weights and not nearest:
        faults.add("option", "means nothing without --aim minimum-distance", "leave it out, or add it", key="--weights")
    elif options.weights and len(options.weights) != len(levels):
        found = f"has {len(options.weights)} weights for {len(levels)} levels"
        faults.add("option", found, "give one for each level, smallest areas first", key="--weights")
    _within(faults, "--share", options.share, 0, 1)
    _within(faults, "--steps", options.steps, 0, MOST_STEPS)
    _within(faults, "--max-round", options.max_round, 1, None)


def _check_noise(options: MethodOptions, faults: Faults) -> None:
    if options.noise_bound is not None and not 1 <= options.noise_bound <= LARGEST_NOISE:
        found = f"noise_bound ({options.noise_bound}) is no bound that can be designed for"
        faults.add("option", found, f"give 1 to {LARGEST_NOISE}", key="--noise-bound")


def _check_hiding(options: MethodOptions, levels: Sequence[str], faults: Faults) -> None:
    _within(faults, "--decoys", options.decoys, 0, 0.99)
    _within(faults, "--max-hidden", options.max_hidden, 0.0001, 1)
    for key, named in (("--show-levels", options.show_levels), ("--show-totals", options.show_totals)):
        for name in named:
            if name not in levels:
                faults.add("option", f"'{name}' is no level of the areas", f"use {', '.join(levels)}", key=key)
    try:
        cost_factors(options.costs)
    except InputError as error:
        faults.extend(error)


def cost_factors(costs: Sequence[str]) -> dict[str, float]:
    """NAME=FACTOR as a mapping.

    Raises
    ------
    InputError
        One of them is not of that form.
    """
    faults, factors = Faults(), {}
    for given in costs:
        name, _, factor = given.rpartition("=")
        try:
            factors[name] = float(factor)
        except ValueError:
            name = ""
        if not name or not 0.001 <= factors[name] <= 1000:
            mend = "give a level or category, =, and a factor from 0.001 to 1000: lad=10"
            faults.found.append(Fault(kind="option", key="--cost", found=f"'{given}' is no cost", mend=mend))
    faults.raise_if_any()
    return factors


def _within(faults: Faults, key: str, given: float | None, least: float, most: float | None) -> None:
    if given is None or (given >= least and (most is None or given <= most)):
        return
    mend = f"give {least:g} to {most:g}" if most is not None else f"give {least:g} or more"
    faults.add("option", f"{given:g} lies outside its range", mend, key=key)
