"""Reads a TOML file into a pydantic model, with every fault at once."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from common.faults import Faults, InputError
from releases.misfits import tell_misfit

__all__ = ["Part", "parse_model", "read_model"]

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
    faults, mend = Faults(str(path)), f"give the path of {what}"
    content = b""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        faults.add("missing file", "there is no such file", mend)
    except IsADirectoryError:
        faults.add("missing file", "is a folder", mend)
    except OSError as error:
        faults.add("unreadable", f"cannot be read ({error.strerror})", "let this user read it")
    faults.raise_if_any()
    return parse_model(content, model, str(path))


def parse_model(content: bytes, model: type[Model], where: str) -> Model:
    """The content of a file as a model; `where` is what messages call the file.

    Raises
    ------
    InputError
        It is no TOML in UTF-8, or says what it may not; every fault is told, and none holds a value.
    """
    faults = Faults(where)
    plain: dict[str, Any] = {}
    try:
        plain = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        faults.add("encoding", f"is not UTF-8 (byte {error.start})", "save the file as UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.add("toml", f"is no TOML: {_place(str(error))}", "mend the file there")
    faults.raise_if_any()
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            tell_misfit(faults, fault)
    raise InputError(faults.found)


def _place(message: str) -> str:
    """What the parser says, without the piece of the file that it may quote."""
    head, at, place = message.rpartition("(at ")
    return f"{head.split(':')[0].strip()} ({'at ' + place if at else message})" if at else message.split(":")[0]
