"""Whether the tables of a release may be counted at all: what the data dictionary and the consent policy say."""

from collections.abc import Mapping

from claimants.consent import Policy
from claimants.dictionary import Dictionary
from claimants.dimensions import Dimension
from claimants.records import record_needs
from common.faults import Faults
from releases.publish.spec import Release

__all__ = ["refuse_unpermitted"]


def refuse_unpermitted(
    release: Release,
    dimensions: Mapping[str, Mapping[str, Dimension]],
    dictionary: Dictionary,
    policy: Policy | None,
    file: str,
) -> None:
    """Refuse tables that need a field for what it must not be read for, or whose markers no policy speaks of.

    `dimensions` gives, by table id, the table's dimensions by name.

    Raises
    ------
    InputError
        A field must not be read for the table's purpose, a sensitive breakdown has no policy that is valid on
        the reference date, or a sensitive field stands in tables of two purposes.  Every fault is told.
    """
    faults = Faults(file)
    purposes: dict[str, set[str]] = {}
    for table in release.table:
        asked = tuple(dimensions[table.id].values())
        sensitive = [one for one in asked if one.sensitive]
        if not sensitive and table.purpose != "counting":
            mend = "remove purpose"
            faults.add("purpose", "is for sensitive fields alone", mend, key=f"table.{table.id}.purpose")
        for need in record_needs(asked, postcodes=release.geography.postcodes is not None):
            try:
                dictionary.permit(need.field, need.purpose)
            except PermissionError as error:
                mend = 'leave it out, or set purpose = "equality" if that is what the table is for'
                faults.add("purpose", str(error), mend, key=f"table.{table.id}.by")
        for one in sensitive:
            purposes.setdefault(one.name, set()).add(table.purpose)
        if sensitive and policy is not None and release.release.reference_date < policy.valid_from:
            faults.add(
                "policy",
                f"the policy '{policy.title}' is valid from {policy.valid_from.isoformat()}, after the reference date",
                "name the policy of that time under claims.policy",
                key=f"table.{table.id}.by",
            )
    for name in sorted(name for name, found in purposes.items() if len(found) > 1):
        mend = "publish one of them, so that the figure has one value"
        faults.add("purpose", f"tables by {name} are for two purposes", mend, key="table.purpose")
    faults.raise_if_any()
