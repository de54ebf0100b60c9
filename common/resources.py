"""Finds the data that ships with smallarea, in a checkout and in an installed wheel alike."""

import importlib.util
from pathlib import Path

__all__ = ["data_path"]


def data_path(name: str) -> Path:
    """Path of a shipped data file or folder, such as ``benefits.toml``.

    In the wheel the folder `data/` travels as the package ``smallarea_data``;
    in a checkout it stands beside this package.

    Raises
    ------
    FileNotFoundError
        The installation lacks the file.
    """
    spec = importlib.util.find_spec("smallarea_data")
    roots = list(spec.submodule_search_locations or []) if spec else []
    roots.append(str(Path(__file__).resolve().parent.parent / "data"))
    for root in roots:
        path = Path(root) / name
        if path.exists():
            return path
    raise FileNotFoundError(f"smallarea's own data file {name} is missing: install smallarea again")
