"""Programs that some tests need: where one is missing the test is skipped, or fails where everything is required."""

import os
import shutil

import pytest

__all__ = ["program"]


def program(name: str, how: str) -> str:
    """Path of a program; without it the test is skipped, with `SMALLAREA_REQUIRE_ALL=1` it fails."""
    found = shutil.which(name)
    if found:
        return found
    reason = f"{name} is missing: {how}"
    if os.environ.get("SMALLAREA_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
