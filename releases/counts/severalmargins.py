"""Tables with several margins: when a table is one, and what is not honoured for it yet."""

from collections.abc import Sequence

from common.faults import Faults
from sdc.profiles import Profile

__all__ = ["MARGINS", "check_margins", "has_several_margins"]

MARGINS = ("all", "finest")


def has_several_margins(nests: Sequence[str], by: Sequence[str], margins: str) -> bool:
    """Whether the table is no network: every margin of several dimensions, or a nest beside that of the areas."""
    return len(nests) > 1 or (len(by) > 1 and margins == "all")


def check_margins(
    nests: Sequence[str], by: Sequence[str], margins: str, *, profile: Profile | None, faults: Faults
) -> None:
    """Refuse what is not honoured where every margin of several dimensions or nests is asked for; notes faults."""
    if margins not in MARGINS:
        faults.add("option", f"'{margins}' is not known", f"use {' or '.join(MARGINS)}", key="--margins")
        return
    if not has_several_margins(nests, by, margins):
        return
    if margins != "all":
        found = "the margins of a nest are its levels: all of them are published"
        faults.add("relation", found, "leave --margins out, or name the smallest level under --by", key="--margins")
    mend = "give --margins finest for the crossing and its total, or leave it out"
    if profile is not None and profile.bands:
        faults.add("relation", "the profile's bands are not honoured for several margins yet", mend, key="--profile")
