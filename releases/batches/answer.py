"""`validate-batch`: what share of a supplied batch meets criteria, in a band; never who, never a number.

The steps, in an order that matters:

1. read the batch, and find which question it is: people, criteria, date, extract;
2. asked before: the answer of the log;
3. decide from sizes and overlaps alone (`claimants.batches.decide`): the extract's rows have not been looked at;
4. count, round the share by a keyed draw, write the log;
5. tell.  An answer is told only after the log holds it.
"""

import datetime as dt
import hmac
import json
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from claimants.batchcounting import count_meeting
from claimants.batchcriteria import Criteria, read_criteria
from claimants.batches import BatchRules, Decision, decide, draw_share
from claimants.batchfile import read_batch
from claimants.extract import ExtractSpec
from claimants.files import find_files
from common.faults import Fault, Faults, Infeasible, InputError
from common.keys import sub_key
from common.progress import SILENT, Progress
from releases.batches.batchlog import HASH_BYTES, Answered, BatchLog, held_log, read_log, write_log
from releases.files.keyfiles import find_key
from releases.files.wholefiles import check_targets

__all__ = ["BatchAnswer", "ValidateOptions", "validate_batch"]

LOG_SUFFIX = ".batches"


@dataclass(frozen=True, kw_only=True)
class ValidateOptions:
    """What is asked: a batch, criteria as they are written, an extract and a date.

    Attributes
    ----------
    column : of the batch, that holds the references.
    log : None: beside the key file, its name with ``.batches`` behind it.
    min_count : None: the log's own, 5 for a new one.
    """

    batch: Path
    criteria: str
    extract: ExtractSpec
    date: dt.date
    column: str = "person_reference"
    log: Path | None = None
    min_count: int | None = None
    key_file: Path | None = None
    threads: int | None = None


@dataclass(frozen=True, kw_only=True)
class BatchAnswer:
    """What may be told: the share to the nearest tenths, its bounds in per cent, and what was asked.

    `people` are those of the batch, known to whoever supplied it; `repeated` rows name somebody a second time.
    """

    about: int
    at_least: int
    at_most: int
    people: int
    repeated: int
    criteria: str
    date: dt.date
    log: Path

    @property
    def words(self) -> str:
        """The answer as a sentence."""
        if self.at_most == 100 and self.about == 100:
            share = f"At least {self.at_least} %"
        elif self.at_least == 0 and self.about == 0:
            share = f"At most {self.at_most} %"
        else:
            share = f"About {self.about} % (between {self.at_least} % and {self.at_most} %)"
        return f"{share} of the {self.people:,} people of the batch meet: {self.criteria}, on {self.date}"


def validate_batch(options: ValidateOptions, *, progress: Progress = SILENT) -> BatchAnswer:
    """Answer one question about a batch, or refuse it.

    Raises
    ------
    InputError
        Batch, criteria, extract, key or log cannot be used; nothing was answered or written.
    Infeasible
        The question is refused: for the size of the batch, or for its overlap with batches answered before.
    """
    criteria = read_criteria(options.criteria)
    if options.min_count is not None and options.min_count < 1:
        fault = Fault(
            kind="option", key="--min-count", found=f"{options.min_count} is too small", mend="give 1 or more"
        )
        raise InputError([fault])
    progress.step("Reading the batch")
    batch = read_batch(options.batch, column=options.column)
    files = _extract_files(options.extract)
    key, key_path = find_key(options.key_file)
    path = options.log if options.log is not None else key_path.with_name(key_path.name + LOG_SUFFIX)
    check_targets({"--log": path}, [options.batch, key_path, *files])
    people = _hashes(batch.references, key)
    with held_log(path):
        log = read_log(path, key, options.min_count)
        progress.step("Reading the extract")
        question = _question(people, criteria, options, files, key)
        log = _answered(log, question, people, batch.references, criteria, options, key)
        write_log(path, log, key)
    found = log.find(question)
    assert found is not None
    return _told(found.answer, len(people), batch.repeated, criteria, options, path)


def _answered(
    log: BatchLog,
    question: str,
    people: frozenset[bytes],
    references: tuple[str, ...],
    criteria: Criteria,
    options: ValidateOptions,
    key: bytes,
) -> BatchLog:
    """The log with this question in it: as it was, or answered now."""
    if log.find(question) is not None:
        return log
    rules = BatchRules(min_count=log.min_count)
    decision = decide(rules, people, [one.people for one in log.answered])
    if decision is not Decision.ANSWER:
        raise _refusal(decision, rules, len(people))
    count = _count(references, criteria, options)
    draw = hmac.new(sub_key(key, "batch answer"), question.encode(), sha256).digest()
    answer = draw_share(rules, count, len(people), int.from_bytes(draw, "big"))
    return log.with_answer(Answered(question=question, people=people, answer=answer))


def _count(references: tuple[str, ...], criteria: Criteria, options: ValidateOptions) -> int:
    try:
        return count_meeting(
            options.extract, references, criteria, reference_date=options.date, threads=options.threads
        )
    except PermissionError as error:
        if error.errno is not None:
            raise
        found = str(error)  # names a field of the dictionary and a purpose
    fault = Fault(kind="dictionary", key="--criteria", found=found, mend="ask about something else")
    raise InputError([fault])


def _refusal(decision: Decision, rules: BatchRules, people: int) -> Infeasible:
    if decision is Decision.TOO_SMALL:
        return Infeasible(
            f"refused for the size of the batch: it holds {people:,} different people and {rules.smallest:,} are the least",
            demands=("size of the batch",),
        )
    return Infeasible(
        "refused for its overlap with batches answered before, whatever the answer would have been: together they could "
        "prove something of few people. Ask again what was asked before, or about people of whom nobody was asked about",
        demands=("overlap with earlier batches",),
    )


def _hashes(references: tuple[str, ...], key: bytes) -> frozenset[bytes]:
    """A keyed hash of each reference, 16 bytes, the same wherever the reference is the same."""
    keyed = hmac.new(sub_key(key, "batch people"), digestmod=sha256)
    found = set()
    for reference in references:
        one = keyed.copy()
        one.update(reference.encode())
        found.add(one.digest()[:HASH_BYTES])
    return frozenset(found)


def _extract_files(extract: ExtractSpec) -> list[Path]:
    faults = Faults()
    files, _ = find_files(extract.paths, extract.format, faults)
    faults.raise_if_any()
    return files


def _question(
    people: frozenset[bytes], criteria: Criteria, options: ValidateOptions, files: list[Path], key: bytes
) -> str:
    """A keyed hash of what is asked: who, what, when, and of which extract, told by its bytes and how they are read.

    The order of rows and the names of files have no say.
    """
    extract = options.extract
    asked = {
        "people": b"".join(sorted(people)).hex(),
        "criteria": criteria.words,
        "date": options.date.isoformat(),
        "extract": sorted(_digest(path) for path in files),
        "read": [extract.format, extract.encoding, extract.delimiter, extract.end, extract.dates],
        "columns": sorted(extract.columns.items()),
        "values": sorted((field, sorted(codes.items())) for field, codes in extract.values.items()),
    }
    text = json.dumps(asked, sort_keys=True)
    return hmac.new(sub_key(key, "batch question"), text.encode(), sha256).hexdigest()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
        raise InputError(
            [Fault(kind="unreadable file", file=str(path), found=found, mend="allow reading it")]
        ) from None


def _told(
    answer: int, people: int, repeated: int, criteria: Criteria, options: ValidateOptions, log: Path
) -> BatchAnswer:
    return BatchAnswer(
        about=answer * 10,
        at_least=max(0, answer - 1) * 10,
        at_most=min(10, answer + 1) * 10,
        people=people,
        repeated=repeated,
        criteria=criteria.words,
        date=options.date,
        log=log,
    )
