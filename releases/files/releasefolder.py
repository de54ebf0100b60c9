"""Where the manifest of a release folder is, and its reviewers' folder unless somebody says otherwise."""

import os
from pathlib import Path

__all__ = ["MANIFEST", "review_folder"]

MANIFEST = "manifest.json"


def review_folder(out: Path) -> Path:
    """The folder beside the release folder `out` with "-review" behind its name."""
    named = out if out.name not in ("", "..") else Path(os.path.abspath(out))
    return named.parent / f"{named.name}-review"
