"""Reads a TOML file as plain data, its faults in words of ours."""

import tomllib
from pathlib import Path
from typing import Any

from common.faults import Faults

__all__ = ["read_toml"]


def read_toml(path: Path, faults: Faults) -> dict[str, Any]:
    """What a TOML file in UTF-8 says; nothing, with a fault noted, where it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        faults.add("unreadable file", f"cannot be read ({error.strerror})", "name a readable file")
    except UnicodeDecodeError as error:
        faults.add("encoding", f"is not UTF-8 (byte {error.start})", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.add("toml", f"is no TOML: {error}", "mend the file there")
    return {}
