"""The data that ships with smallarea is found in a checkout and in an installed wheel."""

import importlib

import pytest

from common.resources import data_path


def test_the_checkouts_own_data_is_found():
    path = data_path("benefits.toml")
    assert path.is_file() and path.name == "benefits.toml"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A folder that travels as the package smallarea_data, as it does in the wheel."""
    folder = tmp_path / "smallarea_data"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return folder


@pytest.mark.parametrize("as_package", [False, True])
def test_the_installed_data_comes_first(installed, as_package):
    if as_package:
        (installed / "__init__.py").write_text("")
    (installed / "benefits.toml").write_text("installed = true\n")
    assert data_path("benefits.toml") == installed / "benefits.toml"


def test_what_the_installation_lacks_is_taken_from_the_checkout(installed):
    assert data_path("benefits.toml").parent != installed


def test_folders_are_found_too(installed):
    (installed / "example").mkdir()
    assert data_path("example") == installed / "example"


def test_what_is_missing_is_named_with_how_to_mend_it():
    with pytest.raises(FileNotFoundError, match=r"no-such-file\.toml is missing: install smallarea again"):
        data_path("no-such-file.toml")
