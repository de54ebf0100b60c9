"""Keys: where they come from, what is too little, and that nothing ever shows one."""

import os
import stat
from pathlib import Path

import pytest
from small_place import change, command

from common.faults import InputError
from common.keys import key_id
from releases.files.keyfiles import find_key, read_key

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (KEY, KEY),
        (KEY + b"\n", KEY),
        (KEY + b"\r\n", KEY),
        (KEY + b"\n\n", KEY + b"\n"),
        (b"\n" + KEY, b"\n" + KEY),
        (b"\0" * 32, b"\0" * 32),
    ],
)
def test_bytes_less_one_final_newline(tmp_path: Path, content: bytes, key: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    assert read_key(tmp_path / "key") == key


@pytest.mark.parametrize("content", [b"", KEY[:31], KEY[:31] + b"\n"])
def test_too_short(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InputError, match="32 are the least") as caught:
        read_key(tmp_path / "key")
    assert not content or content.decode().strip() not in str(caught.value)


def test_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path / "none")
    with pytest.raises(InputError, match="cannot be read"):
        read_key(tmp_path)


class TestFound:
    def test_the_file_given_comes_first(self, tmp_path: Path) -> None:
        (tmp_path / "given").write_bytes(KEY)
        (tmp_path / "other").write_bytes(KEY[::-1])
        assert find_key(tmp_path / "given", {"SMALLAREA_KEY_FILE": str(tmp_path / "other")}) == (
            KEY,
            tmp_path / "given",
        )

    def test_then_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "other").write_bytes(KEY)
        environment = {"SMALLAREA_KEY_FILE": str(tmp_path / "other"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        assert find_key(None, environment) == (KEY, tmp_path / "other")
        assert not (tmp_path / "config").exists()

    def test_then_this_user_s_own_made_once(self, tmp_path: Path) -> None:
        environment = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
        key, path = find_key(None, environment)
        assert len(key) >= 32 and path == tmp_path / "config" / "smallarea" / "key"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert find_key(None, environment) == (key, path)
        assert [one.name for one in path.parent.iterdir()] == ["key"]

    def test_two_users_have_two_keys(self, tmp_path: Path) -> None:
        keys = {find_key(None, {"XDG_CONFIG_HOME": str(tmp_path / name)})[0] for name in ("a", "b")}
        assert len(keys) == 2

    def test_in_the_home_folder_where_nothing_else_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        assert find_key(None, {})[1] == tmp_path / ".config" / "smallarea" / "key"

    def test_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "config").write_text("a file in the way")
        with pytest.raises(InputError, match="cannot be made there") as caught:
            find_key(None, {"XDG_CONFIG_HOME": str(tmp_path / "config")})
        assert caught.value.exit_code == 2 and "--key-file" in str(caught.value)

    def test_cannot_be_made_without_the_right(self, tmp_path: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        tmp_path.chmod(0o755)
        os.seteuid(65534)
        try:
            with pytest.raises(InputError):
                find_key(None, {"XDG_CONFIG_HOME": str(tmp_path)})
        finally:
            os.seteuid(0)


class TestPublish:
    def test_too_short(self, release: Path, tmp_path: Path) -> None:
        (release.parent / "series.key").write_bytes(b"short and secret\n")
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 2 and "16 bytes, 32 are the least" in ran.err and "secret" not in ran.err

    def test_missing(self, release: Path, tmp_path: Path) -> None:
        (release.parent / "series.key").unlink()
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 2 and "series.key: the key file cannot be read" in ran.err

    def test_inside_the_release_folder(self, release: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (release.parent / "series.key").rename(tmp_path / "out" / "series.key")
        change(release, series__key_file="../../out/series.key")
        ran = command("publish", release, "--out", tmp_path / "out")
        assert ran.code == 2 and "lies inside" in ran.err and "series.key" in ran.err
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["series.key"]

    def test_inside_the_review_folder(self, release: Path, tmp_path: Path) -> None:
        change(release, series__key_file="../../pack/series.key")
        (tmp_path / "pack").mkdir()
        (release.parent / "series.key").rename(tmp_path / "pack" / "series.key")
        ran = command("publish", release, "--out", tmp_path / "out", "--review-dir", tmp_path / "pack")
        assert ran.code == 2 and "lies inside" in ran.err


def test_the_public_name_of_a_key_says_nothing_of_it() -> None:
    assert key_id(KEY) != key_id(KEY[::-1]) and len(key_id(KEY)) == 16
    assert key_id(KEY) not in (KEY.hex()[:16], KEY.decode()[:16])
