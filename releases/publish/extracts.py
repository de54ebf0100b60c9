"""The extract of claims that a release file names."""

from claimants.dictionary import read_dictionary, shipped_dictionary
from claimants.extract import ExtractSpec
from common.faults import Fault, InputError
from releases.publish.spec import Release

__all__ = ["extract_of"]


def extract_of(release: Release, file: str) -> ExtractSpec:
    """Where the extract of ``[claims]`` is and how it is written; `file` names the release file in a fault.

    Raises
    ------
    InputError
        ``[claims]`` says what no extract has, or its dictionary cannot be read.
    """
    claims = release.claims
    try:
        return ExtractSpec(
            paths=claims.paths,
            format=claims.format,
            encoding=claims.encoding,
            delimiter=claims.delimiter,
            end=claims.end,
            dates=claims.dates,
            columns=claims.columns,
            values=claims.values,
            dictionary=shipped_dictionary() if claims.dictionary is None else read_dictionary(claims.dictionary),
        )
    except ValueError as error:
        fault = Fault(kind="value", file=file, key="claims", found=str(error), mend="correct it")
        raise InputError([fault]) from None
