"""A kill at any step of `publish` leaves the old release whole or the new one, and true counts in closed folders alone."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_place import change, command, copied, files, one_table, read_claims, rows_of, write_claims

from releases.files.folder import STEPS
from releases.publish.pipeline import publish

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# "set aside" is reached only where a file system cannot exchange folders; test_folder.py goes through those.
REACHED = [step for step in STEPS if "aside" not in step]
EXCHANGED = REACHED.index("release exchanged")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What stood in the folder before, what the killed command was to put there, and a folder for each kill."""

    release: Path
    old: Mapping[str, str]
    new: Mapping[str, str]
    folders: Mapping[tuple[str, bool], Path]


@pytest.fixture(scope="module")
def scene(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Releases of 31 May from two extracts, and every kill, with and without the older release."""
    folder = tmp_path_factory.mktemp("kills")
    release = one_table(copied(place, folder / "given"), ["benefit"])
    publish(release, folder / "old" / "out")
    rows = read_claims(release)
    write_claims(release, rows[: len(rows) // 2], columns=tuple(rows[0]))
    change(release, release__title="The new release")
    publish(release, folder / "new" / "out")
    folders = {}
    for step in REACHED:
        for older in (False, True):
            place_ = folder / f"{step.replace(' ', '-')}-{older}"
            if older:
                shutil.copytree(folder / "old", place_)
            else:
                place_.mkdir()
            folders[step, older] = place_
    kills = json.dumps([(str(path), step) for (step, _), path in folders.items()])
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_publish.py")), str(release), kills],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert set(json.loads(done.stdout).values()) == {signal.SIGKILL}, done.stderr
    assert set(json.loads(done.stdout)) == {str(path) for path in folders.values()}
    return Scene(release=release, old=files(folder / "old"), new=files(folder / "new"), folders=folders)


@pytest.fixture(params=[(step, older) for step in REACHED for older in (False, True)], ids=str)
def killed(request: pytest.FixtureRequest, scene: Scene) -> tuple[str, bool, Path]:
    """Step, whether there was an older release, and the folder that the kill left."""
    step, older = request.param
    return step, older, scene.folders[step, older]


def visible(folder: Path) -> dict[str, str]:
    return {name: digest for name, digest in files(folder).items() if not name.startswith(".")}


def released(contents: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in contents.items() if name.startswith("out/")}


def test_what_a_kill_leaves_and_what_check_makes_of_it(killed: tuple[str, bool, Path], scene: Scene) -> None:
    """In the order of events: the kill has been, nothing else has run; then `check` mends."""
    step, older, folder = killed
    before = released(scene.old) if older else {}
    wanted = released(scene.new) if REACHED.index(step) >= EXCHANGED else before
    assert released(visible(folder)) == wanted  # the release is whole at once, without any mending
    for path in folder.glob(".*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert_closed(folder)

    ran = command("check", folder / "out")
    assert ran.code == (0 if wanted else 2)
    both = {} if not wanted else dict(scene.new if REACHED.index(step) >= EXCHANGED else scene.old)
    assert files(folder) == both and not list(folder.glob(".*"))
    if wanted:
        assert command("check", folder / "out", "--review-dir", folder / "out-review").code == 0


def assert_closed(folder: Path) -> None:
    """True counts stand in the review pack and below hidden folders of mode 0700, nowhere else."""
    for path in folder.rglob("*"):
        top = path.relative_to(folder).parts[0]
        if path.is_file() and top == "out":
            assert "true" not in path.name and path.name not in ("review.html", "buckets.csv")
        elif path.is_file():
            assert top == "out-review" or top.startswith(".")
            assert stat.S_IMODE((folder / top).stat().st_mode) == 0o700


@pytest.mark.parametrize("step", ["written", "release exchanged", "review exchanged"])
def test_the_next_publish_mends(step: str, place: Path, tmp_path: Path) -> None:
    release = one_table(copied(place, tmp_path / "given"), [])
    folder = tmp_path / "here"
    folder.mkdir()
    arguments = [str(release), json.dumps([(str(folder), step)])]
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed_publish.py")), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert list(folder.glob(".*"))
    publish(release, folder / "out")
    assert {path.name for path in folder.iterdir()} == {"out", "out-review"}
    assert command("check", folder / "out", "--review-dir", folder / "out-review").code == 0
    assert rows_of(folder / "out-review" / "true-beside-published-one.csv")
