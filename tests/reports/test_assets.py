"""The front-end files: what the build hook makes, and what must never be in them."""

import json
import re
from pathlib import Path

import pytest

from reports.pages import ASSET_FILES, assets_path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_is_built() -> None:
    assert all(assets_path(name).stat().st_size for name in ASSET_FILES)


def test_nothing_reserved_for_gov_uk_and_no_outside_address() -> None:
    css = assets_path("site.css").read_text(encoding="utf-8")
    assert "@font-face" not in css and "GDS Transport" not in css
    assert "url(" not in css and "@import" not in css
    assert not re.search(r"crown|crest|govuk-logo", css, re.IGNORECASE)
    assert "font-family:arial,sans-serif" in css
    assert "sourceMappingURL" not in assets_path("govuk-frontend.js").read_text(encoding="utf-8")


def test_lock_file_has_versions_and_hashes_but_no_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/govuk-frontend"]["version"] == "6.3.0"
    assert all(
        package["integrity"].startswith("sha512-") and "resolved" not in package for package in packages.values()
    )


def test_assets_are_built_again_only_when_their_sources_change(tmp_path, monkeypatch) -> None:
    hatch_build = pytest.importorskip("hatch_build")
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    sources = tmp_path / "reports" / "frontend"
    sources.mkdir(parents=True)
    for file in (ROOT / "reports" / "frontend").iterdir():
        (sources / file.name).write_bytes(file.read_bytes())
    calls = []

    def pretend(program: str, arguments: list[str], folder: Path) -> None:
        calls.append(program)
        if program == "node":
            (folder / "built" / "site.css").write_text("css")
        else:
            bundle = folder / "node_modules/govuk-frontend/dist/govuk/all.bundle.js"
            bundle.parent.mkdir(parents=True)
            bundle.write_text("script\n//# sourceMappingURL=x\n")

    monkeypatch.setattr(hatch_build, "_run", pretend)
    assert hatch_build.build_assets(tmp_path) and calls == ["npm", "node"]
    assert not hatch_build.build_assets(tmp_path)
    (tmp_path / "reports" / "assets" / "site.css").unlink()
    assert hatch_build.build_assets(tmp_path)
    (sources / "site.js").write_text("// changed")
    assert hatch_build.build_assets(tmp_path)
    assert (tmp_path / "reports" / "assets" / "site.js").read_text() == "// changed"
    assert len(calls) == 6
