"""Lists of categories of one dimension that differ from file to file, and how they lie on each other.

Which it is, is known

* where somebody says so: ``[[overlap]]`` with a lookup of categories, or ``[[recode]]``;
* of age bands, whose years say it (`releases.attack.agebands`);
* where one list is part of another: the file that tells fewer categories tells part of them.

Otherwise lists stay what they are: each is all there is, and how they overlap is unknown.

Every category becomes a set of *leaves*, parts that no list cuts.  A file whose own rows
are its list may leave some out; where others have leaves that it has not, they are
together one more category of it, `REST`, of which it tells nothing.  So no total is
taken for the sum of fewer categories than it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.faults import Faults
from releases.attack.agebands import age_band, is_age, years_of_bands
from releases.attack.known import KnownRecode
from sdc.attack.overlaps import Overlap

__all__ = ["REST", "CodeList", "Laid", "lay_lists"]

REST = "(not told)"
UNKNOWN = frozenset({"unknown", "not known", "not stated", "not recorded", "missing", "age unknown", "age not known"})

Leaves = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class CodeList:
    """The categories of one file; `complete` where somebody says that there are no others."""

    name: str
    codes: frozenset[str]
    complete: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Laid:
    """Lists laid on each other.

    Attributes
    ----------
    codes : per list its categories, sorted, with `REST` where it leaves some out.
    leaves : per list the leaves of each category, those of the truth last; None where nobody knows how lists lie on
        each other.
    overlap : of the judged lists; None where they are alike, or nobody knows.
    notices : what was taken to be so.
    """

    codes: tuple[tuple[str, ...], ...]
    leaves: tuple[Leaves, ...] | None
    overlap: Overlap | None
    notices: tuple[str, ...] = ()


def lay_lists(
    dimension: str,
    lists: Sequence[CodeList],
    *,
    lookup: Mapping[str, np.ndarray] | None = None,
    recodes: Sequence[KnownRecode] = (),
    beside: CodeList | None = None,
    faults: Faults,
) -> Laid:
    """Lay the lists of one dimension on each other; `beside` is one more, of the truth, which is in no table.

    Faults are noted for categories of one list that overlap, and where what is said does not fit the lists.
    """
    if (
        beside is not None
        and lookup is not None
        and not any(beside.codes <= set(own.tolist()) for own in lookup.values())
    ):
        beside = None
    every = [*lists, *([beside] if beside is not None else [])]
    if lookup is None:
        every = [_completed(one, every) for one in every]
    leaves, notices = _leaves(dimension, every, lookup, recodes, faults)
    if leaves is None:
        plain = tuple(tuple(sorted(one.codes)) for one in every[: len(lists)])
        return Laid(codes=plain, leaves=None, overlap=None, notices=tuple(notices))
    for one, own in zip(every, leaves, strict=True):
        _tell_overlaps(dimension, one, own, faults)
    leaves = [_with_rest(one, own, leaves) for one, own in zip(every, leaves, strict=True)]
    judged = leaves[: len(lists)]
    return Laid(
        codes=tuple(tuple(sorted(own)) for own in judged),
        leaves=tuple(judged) + tuple(leaves[len(lists) :]),
        overlap=_overlap(dimension, judged),
        notices=tuple(notices),
    )


def _completed(one: CodeList, every: Sequence[CodeList]) -> CodeList:
    """A list that is part of a longer one, and that nobody calls complete, is that one."""
    if one.complete:
        return one
    longer = [other for other in every if one.codes < other.codes]
    if not longer:
        return one
    return CodeList(name=one.name, codes=max(longer, key=lambda other: len(other.codes)).codes, complete=True)


# --- Leaves ---------------------------------------------------------------------------------------


def _leaves(
    dimension: str,
    every: Sequence[CodeList],
    lookup: Mapping[str, np.ndarray] | None,
    recodes: Sequence[KnownRecode],
    faults: Faults,
) -> tuple[list[Leaves] | None, list[str]]:
    """The leaves of every category, list by list, by whatever says them; None where nothing does, and notices."""
    if lookup is not None:
        return [_by_lookup(dimension, one, lookup, faults) for one in every], []
    codes = frozenset().union(*(one.codes for one in every))
    if recodes:
        parts = _by_recode(dimension, codes, recodes, faults)
        return [{code: parts[code] for code in one.codes} for one in every], []
    if is_age(dimension) or any(code.startswith("Y") and age_band(code) for code in codes):
        return _by_years(dimension, every, codes)
    if len({one.codes for one in every}) == 1:
        return [{code: frozenset([code]) for code in one.codes} for one in every], []
    names = ", ".join(dict.fromkeys(one.name for one in every))
    unlike = f"{dimension}: {names} have different categories, and the list of each is taken to be all there are"
    return None, [
        f"{unlike}: say how they lie on each other with [[overlap]] or [[recode]], or list all with --categories"
    ]


def _by_lookup(dimension: str, one: CodeList, lookup: Mapping[str, np.ndarray], faults: Faults) -> Leaves:
    """The rows of a lookup that each category stands in, in the column that has most of the list."""
    column, rows = max(lookup.items(), key=lambda named: len(one.codes & set(named[1].tolist())))
    missing = sorted(one.codes - set(rows.tolist()))
    if missing:
        found = f"no column of the lookup has {_some(missing)} of {one.name}; '{column}' has most of its categories"
        faults.add("overlap", found, "add rows for them", key=f"overlap of {dimension}")
    return {
        code: frozenset(f"row {row}" for row in np.flatnonzero(rows == code)) or frozenset([code]) for code in one.codes
    }


def _by_recode(dimension: str, codes: frozenset[str], recodes: Sequence[KnownRecode], faults: Faults) -> Leaves:
    """The categories that each is made up of in the end, itself where it is made up of none."""
    made: dict[str, tuple[str, ...]] = {}
    for recode in recodes:
        for whole, parts in recode.of.items():
            if made.setdefault(whole, parts) != parts or whole in parts:
                found = f"'{whole}' is made up of itself, or in two ways"
                faults.add("recode", found, "say once what it is made up of", key=f"recode of {dimension}")
    strange = sorted({code for whole, parts in made.items() for code in (whole, *parts)} - codes - set(made))
    if strange:
        found = f"{_some(strange)} is a category of no file"
        faults.add("recode", found, "correct its name", key=f"recode of {dimension}")

    def parts_of(code: str, above: frozenset[str]) -> frozenset[str]:
        if code not in made:
            return frozenset([code])
        if code in above:
            faults.add("recode", f"'{code}' is made up of itself", "correct it", key=f"recode of {dimension}")
            return frozenset([code])
        return frozenset().union(*(parts_of(part, above | {code}) for part in made[code]))

    return {code: parts_of(code, frozenset()) for code in codes}


def _by_years(
    dimension: str, every: Sequence[CodeList], codes: frozenset[str]
) -> tuple[list[Leaves] | None, list[str]]:
    """Age bands as stretches of years; other categories by name, if all lists have them or they say that age is unknown."""
    years = years_of_bands(codes)
    alike = len({one.codes for one in every}) == 1
    others = [
        code
        for code in sorted(codes - set(years))
        if code.strip().lower() not in UNKNOWN and not all(code in one.codes for one in every)
    ]
    if others or not years:
        if alike:
            return [{code: frozenset([code]) for code in one.codes} for one in every], []
        why = f": {_some(others)} is no age band" if years else ""
        text = f"{dimension}: how categories of the files lie on each other is not known{why}"
        return None, [f"{text}; say it with [[overlap]] or [[recode]]"]
    leaves: list[Leaves] = [{code: years.get(code, frozenset([code])) for code in one.codes} for one in every]
    if alike:
        return leaves, []
    names = ", ".join(dict.fromkeys(one.name for one in every))
    return leaves, [f"{dimension}: age bands of {names} are laid on each other by their years"]


def _tell_overlaps(dimension: str, one: CodeList, own: Leaves, faults: Faults) -> None:
    """Categories of one list that share a leaf are no list: their sum is not the total."""
    seen: dict[str, str] = {}
    for code in sorted(own):
        both = sorted({seen[leaf] for leaf in own[code] if leaf in seen})
        if both:
            found = f"categories {_some([*both, code])} of {one.name} overlap, so that they do not add up"
            mend = "attack each division as a file of its own"
            faults.add("overlapping categories", found, mend, column=dimension)
            return
        seen |= dict.fromkeys(own[code], code)


def _with_rest(one: CodeList, own: Leaves, every: Sequence[Leaves]) -> Leaves:
    """The leaves of a list with `REST` for those that only others have."""
    if one.complete:
        return own
    there = frozenset().union(*(leaves for other in every for leaves in other.values()))
    left = there - frozenset().union(*own.values())
    return {**own, REST: left} if left else own


# --- The overlap ----------------------------------------------------------------------------------


def _overlap(dimension: str, judged: Sequence[Leaves]) -> Overlap | None:
    """Every different list as a division of the leaves."""
    different = list({frozenset(own): own for own in judged}.values())
    if len(different) < 2:
        return None
    every = sorted(frozenset().union(*(leaves for own in different for leaves in own.values())))
    divisions = {}
    for number, own in enumerate(different, start=1):
        of_leaf = {leaf: code for code, leaves in own.items() for leaf in leaves}
        divisions[f"list {number} of {dimension}"] = np.array([of_leaf.get(leaf, "") for leaf in every])
    return Overlap.of(divisions)


def _some(codes: Sequence[str]) -> str:
    more = f" and {len(codes) - 3} more" if len(codes) > 3 else ""
    return ", ".join(f"'{code}'" for code in codes[:3]) + more
