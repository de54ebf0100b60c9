"""Published files on their way to pieces: opened, with their names, area trees and measures, and laid over their axes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.faults import Faults, InputError
from releases.attack.categorylists import Laid, Leaves
from releases.attack.levelnames import alike_by_code, with_level_names, with_other_names
from releases.attack.measures import Counting
from releases.attack.publicblock import read_told
from releases.attack.published import Opened, Published, lay_out, open_published
from releases.attack.publishedcubes import has_margins, lay_out_cells
from releases.attack.publishedtrees import find_trees
from releases.attack.said import Said, method_of
from releases.attack.truths import read_true_counts
from releases.files.sheettables import is_workbook
from releases.files.tidyfile import read_header
from sdc.attack.pieces import Piece, piece_of_table
from sdc.tables import Hierarchy, Table

__all__ = [
    "PieceFile",
    "add_truths",
    "inheriting",
    "lay_out_files",
    "open_files",
    "without_workbooks",
]


@dataclass(kw_only=True, eq=False)
class PieceFile:
    """One file; `judged` if it is attacked, and not only known to the attacker.

    `lists` are the categories of each flat dimension.  `published` is there for counts that are a
    network by themselves, and `truth` for those that there is a truth for.
    """

    name: str
    judged: bool
    opened: Opened
    counting: Counting
    tree: Hierarchy
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    piece: Piece | None = None
    published: Published | None = None
    truth: Table | None = None

    @property
    def said(self) -> Said:
        return self.opened.said


def open_files(
    said: Sequence[Said],
    found: Sequence[Counting],
    *,
    given: Sequence[PieceFile] = (),
    judged: int,
    truth: Path | None,
    nest: Sequence[str],
    min_count: int,
) -> tuple[list[PieceFile], tuple[str, ...]]:
    """Open every file and find its area tree; the first `judged` are attacked, and the first of all are `given`.

    Raises
    ------
    InputError
        A file cannot be read, or nobody says its method or its tree.
    """
    opened = [*(one.opened for one in given), *_open(said[len(given) :], min_count)]
    trees, notices = _trees(said, truth, nest)
    trees = with_other_names(said, trees)
    opened = [with_level_names(one) for one in opened]
    files = [
        PieceFile(name=name, judged=number < judged, opened=one, counting=own, tree=tree)
        for number, (name, one, own, tree) in enumerate(
            zip(_names(said, [one.name for one in given]), opened, found, trees, strict=True)
        )
    ]
    for own, one in zip(given, files, strict=False):
        one.published, one.truth = own.published, own.truth
        one.piece = None if own.piece is None else replace(own.piece, name=one.name, measure=one.counting.text)
    return files, (*notices, *alike_by_code([(one.said.path.name, one.tree) for one in files]))


def without_workbooks(paths: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Our own workbooks are wide: the CSV beside them, with its metadata, holds the same figures."""
    found, notices = [], []
    for path in paths:
        beside = path.with_suffix(".csv")
        if path.suffix.lower() == ".ods" and is_workbook(path) and beside.is_file() and read_told(beside) is not None:
            notices.append(f"{path.name}: read from {beside.name} beside it, which holds the same figures")
            path = beside
        found.append(path)
    return tuple(found), tuple(notices)


def inheriting(said: Sequence[Said]) -> list[Said]:
    """Percentages, rates and means with what is said of the file of their counts, where nothing is said of themselves."""
    found, faults = [], Faults()
    for one in said:
        _tell_several(said, one, faults)
        counts = _named(said, one.known.of)
        if one.known.of is not None and counts is None:
            mend = "name that file among those to attack, or with --already-public"
            faults.add("of", f"is of {one.known.of.name}, which is not read", mend, file=str(one.path), key="of")
        if counts is not None and counts.known.kind != "counts":
            faults.add(
                "of", "is of a file that holds no counts", "name the file of counts", file=str(one.path), key="of"
            )
        elif counts is not None:
            one = _inherited(one, counts, faults)
        found.append(one)
    faults.raise_if_any()
    return found


def _tell_several(said: Sequence[Said], one: Said, faults: Faults) -> None:
    """Note a fault where proportions are of a file that holds several tables: of which of them, a path cannot say."""
    for key in ("of", "denominator"):
        path: Path | None = getattr(one.known, key)
        number = 0 if path is None else sum(other.path.resolve() == path.resolve() for other in said)
        if path is not None and number > 1:
            found = f"is of {path.name}, which is attacked as {number} tables"
            mend = "give the table that it is of as a file of its own"
            faults.add("of", found, mend, file=str(one.path), key=key)


def _inherited(one: Said, counts: Said, faults: Faults) -> Said:
    known, theirs = one.known, counts.known
    by, names = one.by, known.dimensions
    if known.by is None:
        try:
            header = read_header(one.path, sheet=known.sheet)
        except InputError as error:
            faults.extend(error)
            return one
        by = tuple(name for name in counts.by if name in header)
        names = {**{name: called for name, called in theirs.dimensions.items() if name in by}, **names}
    inherited: dict[str, object] = {
        name: getattr(known, name) or getattr(theirs, name) for name in ("population", "measure", "date", "edition")
    }
    if not inherited["population"] and counts.told is not None:
        inherited["population"] = counts.told.population
    return replace(
        one,
        by=by,
        nest=counts.nest if known.nest is None else one.nest,
        areas=one.areas if known.areas is not None else counts.areas,
        known=known.model_copy(update={**inherited, "dimensions": names, "levels": known.levels or theirs.levels}),
    )


def _named(said: Sequence[Said], path: Path | None) -> Said | None:
    if path is None:
        return None
    wanted = path.resolve()
    return next((one for one in said if one.path.resolve() == wanted), None)


def _open(said: Sequence[Said], min_count: int) -> list[Opened]:
    faults, opened = Faults(), []
    for one in said:
        try:
            method_of(one, min_count)
            opened.append(open_published(one))
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    return opened


def _names(said: Sequence[Said], given: Sequence[str]) -> list[str]:
    """Those that the first files have, then the file's name without its ending, or as much of its path as tells it apart.

    Several tables of one file are called by what tells them apart; where nothing does, they are numbered.
    """
    rest = said[len(given) :]
    paths = list({one.path.resolve(): one.path for one in rest}.values())
    stems = [*given, *(path.stem for path in paths)]
    names = list(given)
    for one in rest:
        stem = one.path.stem if stems.count(one.path.stem) == 1 else _told_apart(one.path, paths)
        here = [other for other in rest if other.path.resolve() == one.path.resolve()]
        more = _telling(one, here) if len(here) > 1 else ()
        names.append(f"{stem} ({', '.join(more)})" if more else stem)
    return [name if names.count(name) == 1 else f"{name} {at}" for at, name in enumerate(names, start=1)]


def _telling(one: Said, here: Sequence[Said]) -> tuple[str, ...]:
    """What is said of one table of a file and not of all of them alike: its rows, its sheet, its column."""

    def facts(said: Said) -> dict[str, str]:
        known = said.known
        return {**known.where, "\0sheet": known.sheet or "", "\0value": known.columns.value or ""}

    every = [facts(other) for other in here]
    return tuple(text for name, text in facts(one).items() if text and any(other.get(name) != text for other in every))


def _told_apart(path: Path, among: Sequence[Path]) -> str:
    """The shortest end of a path that no other has."""
    parts = path.parts
    ends = (parts[at:] for at in range(len(parts) - 1, 0, -1))
    alone = (end for end in ends if sum(other.parts[-len(end) :] == end for other in among) == 1)
    return "/".join(next(alone, ())) or str(path)


def _trees(said: Sequence[Said], truth: Path | None, nest: Sequence[str]) -> tuple[list[Hierarchy], tuple[str, ...]]:
    """The area tree of every file; of percentages and the like, that of their counts unless they have their own."""
    leaders = [_leader(said, one) for one in said]
    own = list(dict.fromkeys(leaders))
    trees, notices = find_trees([said[at] for at in own], truth, nest)
    of_leader = dict(zip(own, trees, strict=True))
    return [of_leader[at] for at in leaders], notices


def _leader(said: Sequence[Said], one: Said) -> int:
    counts = _named(said, one.known.of)
    found = one if counts is None or one.known.areas is not None or one.told is not None else counts
    return next(at for at, other in enumerate(said) if other is found)


# --- Cells ----------------------------------------------------------------------------------------


def lay_out_files(
    files: Sequence[PieceFile], min_count: int, faults: Faults, *, strict: bool = False
) -> tuple[str, ...]:
    """Lay every file of counts over its axes, and say what a user should know; see `releases.attack.published.lay_out`."""
    notices: list[str] = []
    for one in files:
        if one.said.known.kind != "counts" or one.piece is not None:
            continue
        method, told = method_of(one.said, min_count), one.said.told
        try:
            if (told is not None and not told.is_network) or (told is None and has_margins(one.opened)):
                one.piece, more = lay_out_cells(
                    one.name, one.opened, one.tree, one.lists, method, one.counting.text, strict=strict
                )
            else:
                one.published = lay_out(one.opened, one.tree, one.lists, method, strict=strict)
                one.piece, more = _piece_of(one), one.published.notices
        except InputError as error:
            faults.extend(error)
            continue
        notices += more
    return tuple(notices)


def _piece_of(one: PieceFile) -> Piece:
    assert one.published is not None
    safe, known = one.published.safe, one.published.known
    return piece_of_table(one.name, safe, measure=one.counting.text, known=known, truth=one.truth)


def add_truths(
    files: Sequence[PieceFile], laid: Mapping[str, Laid], truth: Path | None, count: str, faults: Faults
) -> tuple[str, ...]:
    """Give every attacked file of counts its true ones, where they are known, and say of which they are not."""
    notices: list[str] = []
    for one in files:
        path = one.said.known.truth or truth
        if path is None or one.piece is None or not one.judged:
            continue
        leaves = _leaves_of(files, one, laid) if path == truth else {}
        try:
            counts, more = read_true_counts(path, one.said, one.piece.axes, leaves, count)
        except InputError as error:
            faults.extend(error)
            continue
        notices += more
        if counts is None:
            continue
        if one.published is None:
            one.piece = replace(one.piece, truth=counts)
            continue
        safe = one.published.safe
        finest = counts.reshape(len(counts), -1)
        one.truth = Table.from_finest(hierarchy=safe.hierarchy, classification=safe.classification, finest=finest)
        one.piece = _piece_of(one)
    faults.found = list(dict.fromkeys(faults.found))
    return tuple(notices)


def _leaves_of(
    files: Sequence[PieceFile], one: PieceFile, laid: Mapping[str, Laid]
) -> dict[str, tuple[Leaves, Leaves]]:
    """Per dimension the leaves of a file's categories, and of the truth's."""
    found: dict[str, tuple[Leaves, Leaves]] = {}
    for name in one.lists:
        here = [other for other in files if name in other.said.by]
        leaves = laid[name].leaves
        if leaves is not None and len(leaves) > len(here):
            found[name] = (leaves[here.index(one)], leaves[-1])
    return found
