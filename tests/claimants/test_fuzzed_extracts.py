"""Damaged extracts: counted right or refused in our words, and never a person's value in anything that is said."""

import logging
import re
import traceback
from pathlib import Path

import claimreference as reference
import fuzzing
import pytest

from claimants.caseload import Caseload, CaseloadSpec, count_caseload
from claimants.dimensions import dimension
from claimants.extract import ExtractSpec
from common.faults import InputError

LOOKUP = dict(zip(fuzzing.POSTCODES.postcodes.tolist(), fuzzing.POSTCODES.area.tolist(), strict=True))
# The cheapest way more often than the others.
WAYS = (
    *[("claims", ())] * 3,
    ("claims", ("benefit", "age_band", "sex")),
    ("people", ()),
    ("people", ("sex", "client_group")),
)
NOT_OUR_WORDS = re.compile(r"duckdb|arrow|exception|traceback|errno|\w+Error\b", re.IGNORECASE)


class Told(logging.Handler):
    """Keeps all that is logged while a case is counted."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.args} {record.exc_text}")


def counted(case: fuzzing.Case) -> tuple[Caseload | None, list[str]]:
    """The caseload of a case, or None if it was refused; and all that was said."""
    population, by = WAYS[case.seed % len(WAYS)]
    told = Told()
    logging.getLogger().addHandler(told)
    try:
        found = count_caseload(
            ExtractSpec(paths=(case.folder,), **case.declared),
            area_codes=fuzzing.AREAS,
            postcodes=fuzzing.POSTCODES,
            spec=CaseloadSpec(
                reference_date=fuzzing.DAY, count=population, dimensions=tuple(dimension(name) for name in by)
            ),
            threads=1,
        )
        return found, [*told.texts, *found.notices, repr(found.buckets)]
    except InputError as error:
        assert error.__cause__ is None
        assert error.__context__ is None
        for fault in error.faults:
            assert fault.file.startswith(str(case.folder)), fault
            assert fault.found, fault
            assert fault.mend, fault
        words = str(error).replace(str(case.folder), "")
        assert not NOT_OUR_WORDS.search(words), words
        return None, [*told.texts, words, repr(error), *traceback.format_exception(error)]
    finally:
        logging.getLogger().removeHandler(told)


def judge(case: fuzzing.Case) -> str:
    """Raise unless the case was counted right or refused well; how it ended."""
    population, by = WAYS[case.seed % len(WAYS)]
    found, said = counted(case)
    assert fuzzing.told_canaries(" ".join(said).replace(str(case.folder), "")) == []
    if found is None:
        return "refused"
    assert sum(found.buckets.values()) == found.rows_read
    assert sum(found.cells.column("count").to_pylist()) == found.buckets["counted"]
    frame = fuzzing.slow_reading(case)
    if frame is None:
        return "counted"
    cells, buckets = reference.count(
        frame, names=by, lookup=LOOKUP, day=fuzzing.DAY, end="inclusive", people=population == "people"
    )
    assert found.rows_read == len(frame)
    assert {name: rows for name, rows in found.buckets.items() if rows} == {k: v for k, v in buckets.items() if v}
    assert {tuple(row[:-1]): row[-1] for row in zip(*found.cells.to_pydict().values(), strict=True)} == dict(cells)
    return "compared"


def judge_seed(seed: int, folder: Path) -> str:
    """Judge the case of a seed in a new folder, naming the seed where it fails."""
    folder.mkdir()
    case = fuzzing.make_case(seed, folder)
    try:
        return judge(case)
    except BaseException as error:
        raise AssertionError(f"seed {seed} ({case.form}, {case.declared}, {case.done}) failed") from error


def judge_seeds(seeds: range, folder: Path) -> None:
    """Judge many seeds, and see to it that they ended in every way."""
    ended = [judge_seed(seed, folder / str(seed)) for seed in seeds]
    assert {"refused", "compared"} <= set(ended)


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_a_damaged_extract_is_counted_right_or_refused_without_a_value(first: int, tmp_path: Path) -> None:
    judge_seeds(range(first, first + 50), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("first", range(1000, 11_000, 500))
def test_many_damaged_extracts_are_counted_right_or_refused_without_a_value(first: int, tmp_path: Path) -> None:
    judge_seeds(range(first, first + 500), tmp_path)
