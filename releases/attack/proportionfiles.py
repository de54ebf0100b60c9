"""Files of percentages, rates and means beside the files of their counts and denominators, as pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.faults import Fault, Faults, InputError
from releases.attack.known import Known, KnownFile, find_known
from releases.attack.piecefiles import PieceFile
from releases.attack.proportions import PER_RATE, Proportions, open_proportions, pieces_of_means, pieces_of_proportions
from releases.attack.published import open_published
from releases.attack.publishedcubes import lay_out_cells
from releases.attack.said import Defaults, gather, method_of
from releases.counts.nests import read_tree
from releases.files.tidyfile import read_header
from sdc.attack.pieces import Piece

__all__ = ["add_proportions"]

PER_CENT = 100


@dataclass(frozen=True, kw_only=True, eq=False)
class _Beside:
    """What a file of proportions is read beside, and where to note what comes up."""

    files: Sequence[PieceFile]
    known: Known
    defaults: Defaults
    min_count: int
    notices: list[str] = field(default_factory=list)


def add_proportions(
    files: Sequence[PieceFile], known: Known, defaults: Defaults, min_count: int, faults: Faults
) -> tuple[dict[str, tuple[Piece, ...]], tuple[str, ...]]:
    """The pieces of every file of percentages, rates or means, by its name, and what a user should know."""
    beside = _Beside(files=files, known=known, defaults=defaults, min_count=min_count)
    pieces: dict[str, tuple[Piece, ...]] = {}
    for one in files:
        if one.said.known.kind == "counts":
            continue
        try:
            own = open_proportions(one.name, one.opened, one.tree, one.lists, method_of(one.said, min_count))
            beside.notices.extend(own.notices)
            pieces[one.name] = _means(one, own, beside) if one.said.known.kind == "means" else _shares(one, own, beside)
        except InputError as error:
            faults.extend(error)
    return pieces, tuple(beside.notices)


def _means(one: PieceFile, own: Proportions, beside: _Beside) -> tuple[Piece, ...]:
    about, counts = one.said.known, _piece_at(beside.files, one.said.known.of)
    if counts is None or about.sum_decimals is None:
        return ()
    return pieces_of_means(own, sum_decimals=about.sum_decimals, measure=one.counting.text, counts=counts)


def _shares(one: PieceFile, own: Proportions, beside: _Beside) -> tuple[Piece, ...]:
    """The pieces of percentages or rates.

    Raises
    ------
    InputError
        Denominators cannot be read, or what is said of them does not fit.
    """
    about = one.said.known
    counts = _piece_at(beside.files, about.of)
    denominators, judged = counts, True
    if about.denominator is not None:
        denominators = _piece_at(beside.files, about.denominator)
        judged = denominators is not None
        denominators = denominators or _denominators(one, about.denominator, beside)
    elif about.share_of not in one.said.by:
        mend = f"name one of its dimensions: {', '.join(one.said.by) or 'it has none'}"
        raise _fault(one, "share_of", f"is not by '{about.share_of}'", mend)
    if denominators is None:
        return ()
    try:
        return pieces_of_proportions(
            own,
            per=PER_CENT if about.kind == "percentages" else about.per or PER_RATE,
            measure=one.counting.text,
            numerators=counts,
            denominators=denominators,
            at_total=() if about.share_of is None else (about.share_of,),
            judged=judged,
        )
    except ValueError as error:
        found, _, mend = str(error).partition(": ")
        raise _fault(one, "per", found, mend) from None


def _fault(one: PieceFile, key: str, found: str, mend: str) -> InputError:
    return InputError([Fault(kind="proportion", found=found, mend=mend, file=str(one.said.path), key=key)])


def _piece_at(files: Sequence[PieceFile], path: Path | None) -> Piece | None:
    """The piece of counts that a path stands for, if it is among the files."""
    if path is None:
        return None
    wanted = path.resolve()
    return next((one.piece for one in files if one.said.path.resolve() == wanted), None)


def _denominators(one: PieceFile, path: Path, beside: _Beside) -> Piece:
    """Denominators that are in no file under attack, over the areas of the percentages unless they have their own.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    told = find_known(beside.known.file, path)
    if told is None:
        told = KnownFile(path=path, method="exact", by=_columns_of(path, one))
        text = f"{path.name}: its figures are taken to be exact, and by area alone where it has no more columns"
        beside.notices.append(f"{text}: say otherwise in a [[file]] of its own")
    said = gather(path, [told], replace(beside.defaults, method=None, base=None))
    tree = read_tree(said.areas, said.nest) if told.areas is not None and said.areas is not None else one.tree
    if said.told is not None:
        tree = said.told.hierarchy
    opened = open_published(said)
    piece, more = lay_out_cells(
        path.stem, opened, tree, opened.categories, method_of(said, beside.min_count), "denominators"
    )
    beside.notices.extend(more)
    return piece


def _columns_of(path: Path, one: PieceFile) -> tuple[str, ...]:
    """The dimensions of the percentages that the denominators have too."""
    header = read_header(path)
    return tuple(name for name in one.said.by if name in header)
