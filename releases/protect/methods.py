"""The protection methods that ``protect`` offers, each by the name of its ``--method``."""

from collections.abc import Callable

from releases.protect.asked import Asked, Protected
from releases.protect.hiding import suppression
from releases.protect.noisy import cell_key
from releases.protect.roundings import controlled, conventional, random, rounding_spec, small_counts
from releases.rules.methodoptions import MethodOptions
from sdc.rules.settings import Settings

__all__ = ["METHODS", "Asked", "Protected", "check_settings", "protect_by"]


def check_settings(settings: Settings, options: MethodOptions | None = None) -> None:
    """Refuse settings under which the method has no solution, before anything is read.

    Raises
    ------
    Infeasible
        The base of a rounding is below min_count, or minimum distance could be run backwards.
    """
    rounding_spec(settings, options or MethodOptions())


def protect_by(asked: Asked) -> Protected:
    """Protect a table by the method that its settings name.

    Raises
    ------
    InputError
        No key is there, or the bands of a profile are of no one method.
    Infeasible
        The method has no solution under what was asked.
    """
    return METHODS[asked.settings.method](asked)


METHODS: dict[str, Callable[[Asked], Protected]] = {
    "controlled-rounding": controlled,
    "conventional-rounding": conventional,
    "random-rounding": random,
    "small-count-rounding": small_counts,
    "suppression": suppression,
    "cell-key": cell_key,
}
