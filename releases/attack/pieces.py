"""Any number of published tables, ours or anybody's, as the pieces of one attack, and how they relate.

Every file becomes a `sdc.attack.pieces.Piece`: tables of counts with what they show,
percentages, rates and means with what they say of the counts that they are of.  What
is said of the files under ``--known`` becomes overlaps of areas and categories,
parts within wholes, and flows (`releases.attack.known`).

A file that is a network by itself, an area tree by one flat classification with its
finest cells and their total, is kept as `Published` too, for the attack that takes
such tables alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common.faults import Faults, InputError
from common.progress import SILENT, Progress
from releases.attack.categorylists import CodeList, Laid, lay_lists
from releases.attack.known import Known
from releases.attack.lookups import overlap_of_areas, read_lookup
from releases.attack.measures import countings, editions, relations
from releases.attack.piecefiles import PieceFile, add_truths, inheriting, lay_out_files, open_files, without_workbooks
from releases.attack.proportionfiles import add_proportions
from releases.attack.publictables import gather_all
from releases.attack.published import Published
from releases.attack.said import DEFAULT_MIN_COUNT, Defaults, Said
from releases.attack.truths import truth_list
from releases.counts.categories import read_categories
from sdc.attack.joint import AREAS, Flow, Within
from sdc.attack.overlaps import Overlap
from sdc.attack.pieces import Piece
from sdc.differencing.revisions import Revision
from sdc.tables import Table

__all__ = ["Read", "read_pieces"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Read:
    """Everything that was read, ready for `sdc.attack.jointly.audit_pieces`.

    Attributes
    ----------
    pieces : of the files that are attacked.
    public_pieces : of tables that the attacker has besides, which are not judged themselves.
    overlaps, within, flows, revisions : how they relate.
    said : what is said of each attacked file, by its name.
    tables, public : attacked and public files that are networks by themselves, by their names.
    truths : the true tables behind `tables`, of those that there is a truth for.
    min_count : as asked, else the strictest that a file says, else the default.
    notices : what a user should know of how files were read.
    untied : what tables say of each other and is not attacked, in words.
    """

    pieces: tuple[Piece, ...]
    public_pieces: tuple[Piece, ...]
    overlaps: Mapping[str, Overlap]
    within: tuple[Within, ...]
    flows: tuple[Flow, ...]
    revisions: tuple[Revision, ...]
    said: Mapping[str, Said]
    tables: Mapping[str, Published]
    public: Mapping[str, Published]
    truths: Mapping[str, Table]
    min_count: int
    notices: tuple[str, ...] = field(default=())
    untied: tuple[str, ...] = field(default=())


def read_pieces(
    paths: Sequence[Path],
    known: Known,
    defaults: Defaults,
    *,
    truth: Path | None = None,
    public: Sequence[Path] = (),
    given: Sequence[PieceFile] = (),
    refused: Collection[str] = (),
    min_count: int | None = None,
    progress: Progress = SILENT,
) -> Read:
    """Read published files and what is known of them.

    Parameters
    ----------
    paths, public : files or release folders: those to attack, and those that the attacker has besides.
    known : what is known of single files, and of how they relate.
    defaults : what the options say of every file.
    given : tables of ours that are not written yet (`releases.attack.unwritten`), attacked as the first of all.
    refused : what is a fault and no notice: ``areas``, rows of areas that nobody knows; ``categories``, lists that
        nobody lays on each other.
    truth : the counts behind the files to attack, where ``truth`` under ``--known`` says nothing else of one.
    min_count : smallest non-zero count that may be told.

    Raises
    ------
    InputError
        A file cannot be read, nobody says its method or its area tree, or what is said of how files relate does
        not fit them.  As far as one fault does not hide another, all are told at once.
    """
    progress.step("reading published tables")
    paths, beside = without_workbooks(paths)
    public, beside_public = without_workbooks(public)
    said, besides = _gathered((paths, public), known, defaults)
    every = inheriting([*(one.said for one in given), *said, *besides])
    judged = len(given) + len(said)
    if min_count is None:
        min_count = max((one.min_count for one in said if one.min_count is not None), default=DEFAULT_MIN_COUNT)
    found, unsaid = countings(every)
    files, of_trees = open_files(
        every, found, given=given, judged=judged, truth=truth, nest=defaults.nest, min_count=min_count
    )
    faults = Faults()
    laid, of_lists = _lists(files, known, truth, faults)
    if "categories" in refused:
        _refuse_unlike(laid, files, faults)
    areas, of_areas = _areas(files, known, faults)
    within, flows, of_relations = relations(known, [one.said for one in files], found, faults)
    of_rows = lay_out_files(files, min_count, faults, strict="areas" in refused)
    faults.raise_if_any()
    progress.step("reading the truth")
    of_truth = add_truths(files, laid, truth, defaults.count, faults)
    proportions, of_proportions = add_proportions(files, known, defaults, min_count, faults)
    faults.raise_if_any()
    overlaps = {name: one.overlap for name, one in laid.items() if one.overlap is not None}
    notices = (
        beside,
        beside_public,
        unsaid,
        of_trees,
        of_lists,
        of_areas,
        of_relations,
        of_rows,
        of_truth,
        of_proportions,
    )
    return _read(
        files,
        proportions,
        overlaps=overlaps if areas is None else {**overlaps, AREAS: areas},
        within=within,
        flows=flows,
        revisions=editions(found),
        min_count=min_count,
        notices=tuple(dict.fromkeys(note for some in notices for note in some)),
    )


def _gathered(paths: Sequence[Sequence[Path]], known: Known, defaults: Defaults) -> list[list[Said]]:
    """What is said of the files of each list; the faults of all of them at once."""
    faults, said = Faults(), []
    for some in paths:
        try:
            said.append(gather_all(some, known.file, defaults))
        except InputError as error:
            faults.extend(error)
    faults.raise_if_any()
    return said


def _read(files: Sequence[PieceFile], proportions: Mapping[str, tuple[Piece, ...]], **relations: Any) -> Read:
    """Pieces apart by whether they are judged, in the order of the files."""

    def pieces(judged: bool) -> tuple[Piece, ...]:
        found = [proportions.get(one.name, (one.piece,)) for one in files if one.judged is judged]
        return tuple(piece for some in found for piece in some if piece is not None)

    networks = [one for one in files if one.published is not None]
    return Read(
        pieces=pieces(True),
        public_pieces=pieces(False),
        said={one.name: one.said for one in files if one.judged},
        tables={one.name: one.published for one in networks if one.judged and one.published is not None},
        public={one.name: one.published for one in networks if not one.judged and one.published is not None},
        truths={one.name: one.truth for one in networks if one.truth is not None},
        **relations,
    )


# --- Categories and areas -------------------------------------------------------------------------


def _lists(
    files: Sequence[PieceFile], known: Known, truth: Path | None, faults: Faults
) -> tuple[dict[str, Laid], tuple[str, ...]]:
    """The categories of every file, dimension by dimension, laid on each other, and notices; `files` are given theirs."""
    told = {one.dimension for one in known.overlap} | {one.dimension for one in known.recode}
    laid: dict[str, Laid] = {}
    for name in sorted({name for one in files for name in one.opened.categories}):
        here = [one for one in files if name in one.said.by]
        try:
            lists = [_list_of(one, name) for one in here]
            beside = None if truth is None else truth_list(truth, name)
        except InputError as error:
            faults.extend(error)
            continue
        lookups = [one for one in known.overlap if one.dimension == name]
        lookup = read_lookup(lookups, faults) if lookups else None
        recodes = [one for one in known.recode if one.dimension == name]
        laid[name] = lay_lists(name, lists, lookup=lookup, recodes=recodes, beside=beside, faults=faults)
        for one, codes in zip(here, laid[name].codes, strict=True):
            one.lists[name] = codes
    for name in sorted(told - {AREAS, *laid}):
        mend = f"name a dimension of the files, or '{AREAS}'"
        faults.add("relation", f"no file is by '{name}'", mend, key="dimension of overlap or recode")
    return laid, tuple(notice for one in laid.values() for notice in one.notices)


def _refuse_unlike(laid: Mapping[str, Laid], files: Sequence[PieceFile], faults: Faults) -> None:
    """Note a fault for each dimension whose lists nobody lays on each other."""
    for name, one in laid.items():
        if one.leaves is None:
            here = ", ".join(dict.fromkeys(file.said.path.name for file in files if name in file.said.by))
            found = f"{here} have different categories of {name}, and nobody says how they lie on each other"
            faults.add("relation", found, "say it with [[recode]] or [[overlap]]", key=name)


def _list_of(one: PieceFile, name: str) -> CodeList:
    """The categories that a file, its metadata or a list of categories names."""
    said = one.said
    if said.told is not None and name in said.told.nests:
        smallest = said.told.nests[name].hierarchy.codes[0]
        return CodeList(name=said.path.name, codes=frozenset(smallest.tolist()), complete=True)
    if said.told is not None:
        at = said.told.classification.dimensions.index(name)
        codes = frozenset(category[at] for category in said.told.classification.categories)
        return CodeList(name=said.path.name, codes=codes, complete=True)
    own = frozenset(one.opened.categories[name])
    listed = read_categories(said.categories, said.by)[0].get(name, ()) if said.categories is not None else ()
    return CodeList(name=said.path.name, codes=own | frozenset(listed), complete=bool(listed))


def _areas(files: Sequence[PieceFile], known: Known, faults: Faults) -> tuple[Overlap | None, tuple[str, ...]]:
    told = [one for one in known.overlap if one.dimension == AREAS]
    before = len(faults.found)
    lookup = read_lookup(told, faults) if told else None
    if len(faults.found) > before:
        return None, ()
    lists = [one.said.areas for one in files if one.said.areas is not None]
    try:
        return overlap_of_areas([one.tree for one in files], lookup, lists, faults)
    except InputError as error:
        faults.extend(error)
        return None, ()
