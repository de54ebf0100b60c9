"""A release folder appears whole or not at all: in one piece, at every kill, on every kind of disk."""

import contextlib
import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from folder_steps import names, no_exchange, publish, write

from common.faults import InputError
from releases.files import places
from releases.files.folder import STEPS, mend, mend_all, staged

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two renames":
        monkeypatch.setattr(places, "exchange", no_exchange)
    return str(request.param)


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


class TestWhole:
    def test_first_release_and_one_that_replaces_it(self, tmp_path: Path, way: str) -> None:
        out, review = tmp_path / "out", tmp_path / "out-review"
        for name in ("first", "second"):
            publish(out, review, name)
            assert names(out, review) == (name, name)
            assert {path.name for path in tmp_path.iterdir()} == {"out", "out-review"}

    def test_modes(self, tmp_path: Path) -> None:
        out, review = tmp_path / "out", tmp_path / "elsewhere" / "review"
        publish(out, review, "first")
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [out, review, *out.rglob("*"), *review.rglob("*")]}
        assert {modes[path] for path in modes if path.is_relative_to(out) and path.is_dir()} == {0o755}
        assert {modes[path] for path in modes if path.is_relative_to(out) and path.is_file()} == {0o644}
        assert modes[review] == 0o700
        assert modes[review / "summary.json"] == 0o600

    def test_staging_is_hidden_and_private_while_writing(self, tmp_path: Path) -> None:
        with staged(tmp_path / "out", tmp_path / "review") as staging:
            hidden = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
            assert hidden == []
            for path in (staging.release.parent, staging.work, staging.release, staging.review):
                assert path is not None and stat.S_IMODE(path.stat().st_mode) == 0o700
            write(staging.release, staging.review, "first")

    def test_no_review_folder_asked(self, tmp_path: Path) -> None:
        publish(tmp_path / "out", None, "first")
        assert [path.name for path in tmp_path.iterdir()] == ["out"]

    def test_an_empty_folder_is_taken(self, tmp_path: Path, way: str) -> None:
        (tmp_path / "out").mkdir()
        publish(tmp_path / "out", None, "first")
        assert (tmp_path / "out" / "manifest.json").exists()

    def test_missing_parents_are_made_and_go_again_on_failure(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), staged(tmp_path / "a" / "b" / "out", tmp_path / "c" / "review"):
            raise ZeroDivisionError
        assert everything(tmp_path) == set()
        publish(tmp_path / "a" / "b" / "out", tmp_path / "c" / "review", "first")
        assert names(tmp_path / "a" / "b" / "out", tmp_path / "c" / "review") == ("first", "first")

    def test_a_link_in_the_staging_folder_is_a_bug(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="neither a file nor a folder"), staged(tmp_path / "out") as staging:
            (staging.release / "link").symlink_to("/etc")
        assert everything(tmp_path) == set()


class TestFailure:
    @pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
    def test_an_exception_in_the_block_changes_nothing(self, tmp_path: Path, error: type[BaseException]) -> None:
        out, review = tmp_path / "out", tmp_path / "review"
        publish(out, review, "first")
        before = everything(tmp_path)
        with pytest.raises(error), staged(out, review) as staging:
            write(staging.release, staging.review, "second")
            raise error
        assert everything(tmp_path) == before
        assert names(out, review) == ("first", "first")

    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("older", [False, True])
    def test_an_exception_at_any_step(self, tmp_path: Path, way: str, step: str, older: bool) -> None:
        out, review = tmp_path / "out", tmp_path / "review"
        if older:
            publish(out, review, "first")

        def interrupt(at: str) -> None:
            if at == step:
                raise KeyboardInterrupt

        reached = contextlib.suppress(KeyboardInterrupt)
        with reached:
            publish(out, review, "second", at=interrupt)
        aside = "aside" in step and (way == "exchange" or not older)
        wanted = "second" if step == "settled" or aside else ("first" if older else None)
        assert names(out, review) == (wanted, wanted)
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    def test_a_review_folder_that_cannot_be_put_takes_the_release_back(
        self, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out, review = tmp_path / "out", tmp_path / "review"
        publish(out, review, "first")
        put = places.put

        def put_release_only(place: places.Place, aside: object) -> None:
            if place.target == review:
                raise OSError(errno.EBUSY, "busy", str(review))
            put(place, aside)  # type: ignore[arg-type]

        monkeypatch.setattr("releases.files.folder.put", put_release_only)
        with pytest.raises(InputError, match="mounted"):
            publish(out, review, "second")
        assert names(out, review) == ("first", "first")

    def test_full_disk_said_by_the_system(self, tmp_path: Path) -> None:
        publish(tmp_path / "out", None, "first")
        before = everything(tmp_path)
        with pytest.raises(InputError, match="disk is full") as caught, staged(tmp_path / "out"):
            raise OSError(errno.ENOSPC, "No space left on device")
        assert caught.value.exit_code == 2
        assert everything(tmp_path) == before

    def test_full_disk_wrapped_by_a_library(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="disk is full"), staged(tmp_path / "out"):
            raise RuntimeError("IO Error: Could not write file: No space left on device")
        assert everything(tmp_path) == set()

    def test_other_errors_stay_what_they_are(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError), staged(tmp_path / "out"):
            (tmp_path / "nothing").read_text()
        with pytest.raises(PermissionError), staged(tmp_path / "out"):
            raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/else")


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield disk  # type: ignore[misc]
    subprocess.run(["umount", "-l", str(disk)], check=True)


class TestRealDisk:
    def test_full_disk(self, small_disk: Path) -> None:
        out, review = small_disk / "out", small_disk / "out-review"
        publish(out, review, "first")
        before = everything(small_disk)
        with pytest.raises(InputError, match="disk is full"), staged(out, review) as staging:
            write(staging.release, staging.review, "second")
            (staging.release / "big").write_bytes(bytes(1_000_000))
        assert everything(small_disk) == before
        assert names(out, review) == ("first", "first")

    def test_disk_full_from_the_start(self, small_disk: Path) -> None:
        with contextlib.suppress(OSError):
            (small_disk / "filler").write_bytes(bytes(1_000_000))
        with pytest.raises(InputError, match="disk is full"):
            publish(small_disk / "out", small_disk / "review", "first")
        assert everything(small_disk) == {"filler"}

    def test_a_mount_cannot_be_replaced(self, small_disk: Path) -> None:
        with pytest.raises(InputError, match="mounted"):
            publish(small_disk, None, "first")
        assert everything(small_disk.parent) == {"disk"}

    def test_release_and_review_on_different_disks(self, small_disk: Path, tmp_path: Path) -> None:
        for name in ("first", "second"):
            publish(small_disk / "out", tmp_path / "review", name)
            assert names(small_disk / "out", tmp_path / "review") == (name, name)

    def test_read_only_disk(self, small_disk: Path) -> None:
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(InputError, match="read-only"):
            publish(small_disk / "out", None, "first")


class TestRefused:
    def refused(self, out: Path, review: Path | None = None, **options: object) -> str:
        with pytest.raises(InputError) as caught:
            publish(out, review, "new", **options)
        return str(caught.value)

    def test_something_else_than_a_release(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "thesis.txt").write_text("years of work")
        assert "something else than a release" in self.refused(tmp_path / "out", tmp_path / "review")
        assert everything(tmp_path) == {"out", "out/thesis.txt"}

    def test_a_manifest_of_another_program(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "manifest.json").write_text('{"name": "an app"}')
        assert "something else than a release" in self.refused(tmp_path / "out")

    def test_a_file_or_a_link_at_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert "something else" in self.refused(tmp_path / "file")
        publish(tmp_path / "real", None, "first")
        (tmp_path / "link").symlink_to("real")
        assert "something else" in self.refused(tmp_path / "link")
        assert "a file stands" in self.refused(tmp_path / "file" / "out")

    def test_both_folders_hold_something_else_told_at_once(self, tmp_path: Path) -> None:
        for name in ("out", "review"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "thesis.txt").write_text("")
        said = self.refused(tmp_path / "out", tmp_path / "review")
        assert "than a release" in said and "than a review pack" in said

    def test_one_inside_the_other(self, tmp_path: Path) -> None:
        assert "inside" in self.refused(tmp_path / "out", tmp_path / "out" / "review")
        assert "inside" in self.refused(tmp_path / "review" / "out", tmp_path / "review")
        assert "inside" in self.refused(tmp_path / "out", tmp_path / "out")

    def test_one_inside_the_other_through_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        assert "inside" in self.refused(tmp_path / "real", tmp_path / "link" / "review")

    def test_key_file_inside(self, tmp_path: Path) -> None:
        publish(tmp_path / "out", None, "first")
        key = tmp_path / "out" / "series.key"
        key.write_bytes(bytes(32))
        assert "series.key" in self.refused(tmp_path / "out", outside=[key])
        assert key.exists()

    def test_the_root(self) -> None:
        assert "root" in self.refused(Path("/"))

    def test_unwritable_parent(self, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere; the child below tests it")
        tmp_path.chmod(0o555)
        assert "no right" in self.refused(tmp_path / "out")

    def test_unwritable_parent_as_another_user(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        with tempfile.TemporaryDirectory() as name:
            closed = Path(name)
            closed.chmod(0o755)
            os.seteuid(65534)
            try:
                said = self.refused(closed / "out", closed / "review")
                assert "no right" in said
                assert "no right" in self.refused(closed / "a" / "out")
            finally:
                os.seteuid(0)
            assert everything(closed) == set()

    def test_two_at_once(self, tmp_path: Path) -> None:
        with staged(tmp_path / "out", tmp_path / "review") as staging:
            assert "another command" in self.refused(tmp_path / "out")
            assert "another command" in self.refused(tmp_path / "other", tmp_path / "review")
            assert not mend(tmp_path / "out")
            assert mend_all(tmp_path) == ()
            write(staging.release, staging.review, "first")
        assert names(tmp_path / "out", tmp_path / "review") == ("first", "first")
        assert everything(tmp_path) == {
            "out", "out/manifest.json", "out/tables", "out/tables/a.csv", "review", "review/summary.json",
        }  # fmt: skip


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    sys.path[:0] = [{root!r}, {tests!r}]
    from releases.files import places
    from folder_steps import publish, no_exchange
    out, review, step, way = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    if way == "two renames":
        places.exchange = no_exchange
    def at(name):
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)
    publish(out, review, "second", at=at)
    """
).format(root=str(ROOT), tests=str(Path(__file__).parent))


def killed(out: Path, review: Path, step: str, way: str) -> bool:
    """Publish in a child that kills itself at a step; False where the step is never reached."""
    done = subprocess.run([sys.executable, "-c", CHILD, str(out), str(review), step, way], check=False)
    assert done.returncode in (-signal.SIGKILL, 0)
    return done.returncode != 0


class TestKill:
    @pytest.mark.parametrize("way", ["exchange", "two renames"])
    @pytest.mark.parametrize("older", [False, True])
    @pytest.mark.parametrize("step", STEPS)
    def test_whole_old_or_whole_new_after_the_next_command(
        self, tmp_path: Path, step: str, older: bool, way: str
    ) -> None:
        out, review = tmp_path / "a" / "out", tmp_path / "b" / "review"
        if older:
            publish(out, review, "first")
        if not killed(out, review, step, way):
            assert "aside" in step and (way == "exchange" or not older)
            return
        for path in (tmp_path / "a", tmp_path / "b"):  # no true count outside a folder of mode 0700
            for hidden in path.glob(".*"):
                assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
        first, other = (review, out) if step in ("sealed", "release exchanged") else (out, review)
        mend(first)
        mend(other)
        done = STEPS.index(step) >= STEPS.index("release exchanged")
        wanted = "second" if done else ("first" if older else None)
        assert names(out, review) == (wanted, wanted)
        assert [path for part in ("a", "b") for path in (tmp_path / part).glob(".*")] == []
        if done:
            assert stat.S_IMODE(out.stat().st_mode) == 0o755
            assert stat.S_IMODE(review.stat().st_mode) == 0o700

    @pytest.mark.parametrize("step", ["written", "release exchanged", "settled"])
    def test_the_next_publish_mends_by_itself(self, tmp_path: Path, step: str) -> None:
        out, review = tmp_path / "a" / "out", tmp_path / "b" / "review"
        publish(out, review, "first")
        assert killed(out, review, step, "exchange")
        seen = []
        with staged(out, review) as staging:
            seen.append(names(out, review))
            write(staging.release, staging.review, "third")
        wanted = "first" if step == "written" else "second"
        assert seen == [(wanted, wanted)]
        assert names(out, review) == ("third", "third")

    def test_a_publish_elsewhere_with_the_same_review_folder_mends_first(self, tmp_path: Path) -> None:
        out, review = tmp_path / "out", tmp_path / "review"
        publish(out, review, "first")
        assert killed(out, review, "release exchanged", "exchange")
        publish(tmp_path / "other", review, "third")
        assert names(out, review) == ("second", "third")
        assert list(tmp_path.glob(".*")) == []

    def test_everything_in_a_folder_is_mended(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            publish(tmp_path / name, tmp_path / f"{name}-review", "first")
            assert killed(tmp_path / name, tmp_path / f"{name}-review", "release exchanged", "exchange")
        mended = mend_all(tmp_path)
        assert {path.name for path in mended} == {"one-review", "two-review"}  # each brings its release with it
        for name in ("one", "two"):
            assert names(tmp_path / name, tmp_path / f"{name}-review") == ("second", "second")
        assert list(tmp_path.glob(".*")) == []

    def test_a_review_folder_that_is_gone_is_told(self, tmp_path: Path) -> None:
        out, review = tmp_path / "out", tmp_path / "review"
        assert killed(out, review, "release exchanged", "exchange")
        shutil.rmtree(places.Place(target=review).staging)
        with pytest.raises(InputError, match="review folder of a release"):
            mend(out)


def test_exchange_is_one_step_where_the_system_has_it(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not places.exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot exchange")
    assert everything(tmp_path) == {"a", "a/b", "b", "b/a"}
    with pytest.raises(FileNotFoundError):
        places.exchange(tmp_path / "a", tmp_path / "missing")
