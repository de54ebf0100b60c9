"""The check that every rounding method makes of its base."""

from common.faults import Infeasible

__all__ = ["check_base"]


def check_base(base: int, min_count: int) -> None:
    """Refuse a base that proves small counts (1 <= x <= min_count - 1) by itself.

    Raises
    ------
    ValueError
        One of the two is below 2.
    Infeasible
        base < min_count.
    """
    if base < 2:
        raise ValueError(f"base ({base}) must be at least 2")
    if min_count < 2:
        raise ValueError(f"min_count ({min_count}) must be at least 2")
    if base < min_count:
        raise Infeasible(
            f"base {base} is below min_count {min_count}: a count shown 0 would be proven to be at most {base - 1}, one "
            f"shown {base} to be at most {2 * base - 1} and every small count could be pinned; raise base or lower "
            "min_count",
            demands=(f"base = {base}", f"min_count = {min_count}"),
        )
