"""Where the reviewers' folder of a release is, unless somebody says otherwise."""

import os
from pathlib import Path

__all__ = ["review_folder"]


def review_folder(out: Path) -> Path:
    """The folder beside the release folder `out` with "-review" behind its name."""
    named = out if out.name not in ("", "..") else Path(os.path.abspath(out))
    return named.parent / f"{named.name}-review"
