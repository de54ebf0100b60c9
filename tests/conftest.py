"""What all tests share: those of real areas are skipped where the folder of real open data is not beside the checkout."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked `real_areas` where there is none."""
    if DATA.is_dir():
        return
    missing = pytest.mark.skip(reason="the folder of real open data is not beside the checkout")
    for item in items:
        if item.get_closest_marker("real_areas"):
            item.add_marker(missing)
