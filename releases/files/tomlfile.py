"""Reads TOML files as plain data and as pydantic models, with every fault at once and in words of ours."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from common.faults import Faults, InputError
from releases.files.misfits import tell_misfit

__all__ = ["Part", "parse_model", "read_model", "read_toml", "validated"]

Model = TypeVar("Model", bound=BaseModel)


class Part(BaseModel):
    """A table of a file: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_model(path: Path, model: type[Model], what: str) -> Model:
    """The file as a model; `what` is what a user calls such a file, with its article.

    Raises
    ------
    InputError
        The file is missing, is no TOML in UTF-8, or says what it may not; every fault is told.
    """
    faults = Faults(str(path))
    return validated(read_toml(path, what, faults), model, faults)


def parse_model(content: bytes, model: type[Model], where: str) -> Model:
    """The content of a file as a model; `where` is what messages call the file.

    Raises
    ------
    InputError
        It is no TOML in UTF-8, or says what it may not; every fault is told, and none holds a value.
    """
    faults = Faults(where)
    return validated(_parsed(content, faults), model, faults)


def read_toml(path: Path, what: str, faults: Faults) -> dict[str, Any]:
    """The file as plain data; `what` is what a user calls such a file, with its article.

    Raises
    ------
    InputError
        The file is missing, or is no TOML in UTF-8.
    """
    mend, content = f"give the path of {what}", b""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        faults.add("missing file", "there is no such file", mend, file=str(path))
    except IsADirectoryError:
        faults.add("missing file", "is a folder", mend, file=str(path))
    except OSError as error:
        faults.add("unreadable", f"cannot be read ({error.strerror})", "let this user read it", file=str(path))
    faults.raise_if_any()
    return _parsed(content, faults)


def validated(plain: Mapping[str, Any], model: type[Model], faults: Faults) -> Model:
    """Plain data as a model.

    Raises
    ------
    InputError
        It says what it may not; every fault is told with those noted before, and none holds a value.
    """
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            tell_misfit(faults, fault)
    raise InputError(faults.found)


def _parsed(content: bytes, faults: Faults) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    try:
        plain = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        faults.add("encoding", f"is not UTF-8 (byte {error.start})", "save the file as UTF-8")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        faults.add("toml", f"is no TOML: {_place(str(error))}", "mend the file there")
    faults.raise_if_any()
    return plain


def _place(message: str) -> str:
    """What the parser says, without the piece of the file that it may quote."""
    head, at, place = message.rpartition("(at ")
    return f"{head.split(':')[0].strip()} ({'at ' + place if at else message})" if at else message.split(":")[0]
