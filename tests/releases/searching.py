"""Looks for words and numbers in everything a folder holds, packed and binary formats unpacked."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

__all__ = ["found_numbers", "found_words", "texts"]


def texts(folder: Path, *, skip: tuple[str, ...] = (".png",)) -> Iterator[tuple[str, str]]:
    """Where, and text found there: names of files, their bytes, members of zip files, values of Parquet files."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        yield name, name
        if not path.is_file() or path.suffix in skip:
            continue
        raw = path.read_bytes()
        yield name, raw.decode("latin-1")
        if b"\0" in raw:
            yield name, raw.decode("utf-16-le", errors="ignore")
        if raw.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield f"{name}!{member}", archive.read(member).decode("utf-8", errors="replace")
        if raw.startswith(b"PAR1"):
            table = pq.read_table(path)
            plain = [column for column in table.column_names if str(table.schema.field(column).type) != "binary"]
            yield f"{name}!values", repr(table.select(plain).to_pydict())


def found_words(there: Iterable[tuple[str, str]], words: Iterable[str]) -> list[tuple[str, str]]:
    """Where which word stands, in whatever case."""
    wanted = [word.casefold() for word in words]
    return sorted({(name, word) for name, text in there for word in wanted if word in text.casefold()})


def found_numbers(there: Iterable[tuple[str, str]], numbers: Iterable[int]) -> list[tuple[str, int]]:
    """Where which number stands by itself, plain or with a thousands separator."""
    forms = {number: f"{number}|{number:,}" for number in numbers}
    either = re.compile(r"(?<![0-9A-Za-z.,#])(" + "|".join(forms.values()) + r")(?![0-9A-Za-z]|[.,][0-9])")
    return sorted(
        {(name, int(one.replace(",", ""))) for name, text in there for one in either.findall(text)} if forms else set()
    )
