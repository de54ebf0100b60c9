"""Name and version of this software."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["software_name", "software_version"]


def software_version() -> str:
    """Version as installed; "unknown" where it runs without being installed."""
    try:
        return version("smallarea")
    except PackageNotFoundError:
        return "unknown"


def software_name() -> str:
    """Name and version, as files say it."""
    return f"smallarea {software_version()}"
