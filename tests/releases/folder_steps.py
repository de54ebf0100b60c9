"""Writes a bare release and its review pack through `staged`; light, so that children start quickly."""

import json
from pathlib import Path

from releases.files.folder import staged


def write(folder: Path, review: Path | None, name: str) -> None:
    """A release of two files in a sub-folder, and the review pack that belongs to it."""
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "a.csv").write_text(f"value\n{name}\n")
    (folder / "manifest.json").write_text(json.dumps({"format": "smallarea release 1", "id": name}))
    if review is not None:
        review.mkdir(exist_ok=True)
        (review / "summary.json").write_text(json.dumps({"release": name, "manifest_sha256": name}))


def publish(out: Path, review: Path | None, name: str, **options: object) -> None:
    with staged(out, review, **options) as staging:  # type: ignore[arg-type]
        write(staging.release, staging.review, name)
        (staging.work / "spill").write_text("true counts")


def names(out: Path, review: Path) -> tuple[str | None, str | None]:
    """Ids of the release and of the review pack; None where there is no folder."""
    release = json.loads((out / "manifest.json").read_text())["id"] if out.exists() else None
    if out.exists():
        assert (out / "tables" / "a.csv").read_text() == f"value\n{release}\n"
    pack = json.loads((review / "summary.json").read_text())["release"] if review.exists() else None
    return release, pack


def no_exchange(*_: object) -> bool:
    return False
