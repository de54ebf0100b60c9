"""What a model refuses in a TOML file, as a fault in a user's words."""

from collections.abc import Mapping
from typing import Any

from common.faults import Faults

__all__ = ["tell_misfit"]


def tell_misfit(faults: Faults, fault: Mapping[str, Any]) -> None:
    """Note one error of pydantic, as ``ValidationError.errors`` gives it; places in lists count from 1.

    A validator of ours says what was found and, behind a colon, how to mend it.
    """
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    found, _, mend = message.partition(": ")
    kind = str(fault["type"])
    if kind == "missing":
        found, mend = "is missing", "add it"
    elif kind == "extra_forbidden":
        found, mend = "is not known here", "remove it or correct its name"
    elif not mend:
        found, mend = f"does not fit ({message[:1].lower()}{message[1:]})", "correct it"
    faults.add(kind, found, mend, key=key or "the whole file")
