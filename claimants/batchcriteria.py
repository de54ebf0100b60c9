"""Criteria that people of a batch may be asked about: live on a date, and what their claim is.

    live                        has a claim that is live on the date
    benefit=UC,JSA              ... of one of these benefits
    benefit=UC; sex=F           ... and is female
    age_band=Y16T24; benefit=UC ... and is 16 to 24

Conditions are joined by semicolons; one claim must meet all of them.  Codes are those of
the lists in data/; nothing else of a record can be asked about.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from claimants.dimensions import dimension, normal_code
from claimants.extract import Need
from claimants.protection import PROTECTION
from common.faults import Faults

__all__ = ["ASKABLE", "Criteria", "criteria_needs", "read_criteria"]

ASKABLE = ("benefit", "age_band", "sex", "duration_band")
LIVE = "live"


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """Conditions that one live claim of a person must meet, all of them.

    Attributes
    ----------
    allowed : dimension, of `ASKABLE` and in its order → indices of the categories that will do, ascending.
    """

    allowed: Mapping[str, tuple[int, ...]]

    @property
    def words(self) -> str:
        """The criteria as they are compared and told: however they were written, the same conditions read alike."""
        conditions = [
            f"{name}={','.join(dimension(name).categories[at] for at in chosen)}"
            for name, chosen in self.allowed.items()
        ]
        return "; ".join([LIVE, *conditions])


def read_criteria(text: str, *, key: str = "--criteria") -> Criteria:
    """Read criteria as they are written on the command line.

    Raises
    ------
    InputError
        A condition has not the form NAME=CODE,CODE, names what cannot be asked about,
        comes twice, or names a code that the list lacks; every fault is told.
    """
    faults = Faults()
    found: dict[str, tuple[int, ...]] = {}
    conditions = [part.strip() for part in text.split(";") if part.strip()]
    if not conditions:
        faults.add("criteria", "says nothing", f'write "{LIVE}", or conditions such as "benefit=UC"', key=key)
    for condition in conditions:
        name, equals, codes = (part.strip() for part in condition.partition("="))
        name = name.lower()
        if name == LIVE and not equals:
            continue
        if not equals:
            faults.add("criteria", f"'{condition}' is no condition", "write NAME=CODE,CODE", key=key)
        elif name not in ASKABLE:
            faults.add("criteria", f"'{name}' cannot be asked about", f"use {', '.join((LIVE, *ASKABLE))}", key=key)
        elif name in found:
            faults.add("criteria", f"'{name}' stands there twice", "name all its codes at once", key=key)
        else:
            found[name] = _categories(name, codes, key, faults)
    faults.raise_if_any()
    return Criteria(allowed={name: found[name] for name in ASKABLE if name in found})


def _categories(name: str, codes: str, key: str, faults: Faults) -> tuple[int, ...]:
    wanted = dimension(name)
    known = {normal_code(code): at for at, code in enumerate(wanted.categories)} | dict(wanted.spellings)
    chosen = set()
    for code in codes.split(","):
        at = known.get(normal_code(code))
        if at is None:
            mend = f"use {', '.join(wanted.categories)}"
            faults.add("criteria", f"'{code.strip()}' is no code of {name}", mend, key=key)
        else:
            chosen.add(at)
    return tuple(sorted(chosen))


def criteria_needs(criteria: Criteria) -> list[Need]:
    """The fields of an extract that the criteria take, the mark of special protection, and no other but the signs of erasure."""
    needs = [
        Need(field="person_reference", purpose="linking"),
        Need(field="benefit", purpose="counting"),
        Need(field="claim_start", purpose="counting", date=True),
        Need(field="claim_end", purpose="counting", date=True),
        Need(field=PROTECTION, purpose="counting", required=False),
    ]
    if "age_band" in criteria.allowed:
        needs.append(Need(field="birth_date", purpose="counting", date=True))
    if "sex" in criteria.allowed:
        needs.append(Need(field="sex", purpose="counting"))
    return needs
