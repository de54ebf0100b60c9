"""Which signs stand in the cells of a published file, and what a profile says that its marks stand for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text
from releases.attack.known import Known, KnownFile, MarkerMeaning, find_known
from releases.attack.markertexts import TELLING, meaning_of
from releases.attack.published import open_published
from releases.attack.publishedcubes import locate_rows
from releases.attack.said import Said
from releases.files.wholenumbers import whole_number
from sdc.attack.intervals import NO_BOUND
from sdc.attack.markers import HIDDEN, LOW_SIGN, RANGE, Signs
from sdc.attack.pieces import Piece
from sdc.profiles import Profile
from sdc.tables import LOW, NOT_AVAILABLE, STRUCTURAL, SUPPRESSED

__all__ = ["marks_of", "read_signs", "with_marks"]


def marks_of(profile: Profile) -> dict[str, tuple[int, int]]:
    """The marks that a profile shows instead of counts, with the least and the most that each stands for."""
    ends = [band.least - 1 for band in profile.bands[1:]] + [NO_BOUND]
    return {band.mark: (band.least, end) for band, end in zip(profile.bands, ends, strict=True) if band.mark}


def with_marks(known: Known, profile: Profile, files: Sequence[Path]) -> Known:
    """What is known of files, with a profile's marks for those of which nothing is said of the same mark."""
    marks: dict[str, MarkerMeaning | tuple[int, int]] = {**marks_of(profile)}
    if not marks:
        return known
    told = [one.model_copy(update={"markers": {**marks, **one.markers}}) for one in known.file]
    told += [KnownFile(path=path, markers=marks) for path in files if find_known(known.file, path) is None]
    return known.model_copy(update={"file": tuple(told)})


def read_signs(said: Said, piece: Piece) -> Signs | None:
    """The signs of a file of counts; None where they cannot tell anything apart.

    Of files with metadata of ours, all that is looked at is whether the truth, where it is there,
    tells two markers apart: one ``low`` stands for every zero there.
    """
    hidden = np.isin(piece.markers, (SUPPRESSED, NOT_AVAILABLE, LOW))
    if said.known.kind != "counts" or not hidden.any() or (said.told is not None and piece.truth is None):
        return None
    opened = open_published(said)
    place = locate_rows(opened, piece.axes, Faults()).place
    columns = [opened.tidy.text.columns[name] for name in (opened.marker, opened.value) if name is not None]
    row_sign, names = np.full(opened.tidy.height, -1, np.int64), dict[str, int]()
    for column in columns:
        texts, index = encode_text(column)
        signs = np.array([_number(text, names) for text in texts.tolist()], np.int64)[index]
        row_sign = np.where(row_sign < 0, signs, row_sign)
    rows = np.flatnonzero((row_sign >= 0) & (place >= 0))
    kinds = [_kind(text, said) for text in names]
    kept = [sign for sign, kind in enumerate(kinds) if kind]
    rows = rows[np.isin(row_sign[rows], kept)]
    rows = rows[hidden.ravel()[place[rows]]]
    if not len(rows):
        return None
    return Signs(
        texts=tuple(text for text, kind in zip(names, kinds, strict=True) if kind),
        kinds=tuple(kind for kind in kinds if kind),
        shape=piece.values.shape,
        places=place[rows],
        of=np.searchsorted(kept, row_sign[rows]),
        explained=said.told is not None,
    )


def _number(text: str, names: dict[str, int]) -> int:
    """The number of a sign, given as it is first met; -1 for a number and for nothing."""
    plain = text.strip()
    if not plain or whole_number(plain) is not None:
        return -1
    return names.setdefault(plain, len(names))


def _kind(text: str, said: Said) -> str:
    """What a sign stands for, as `sdc.attack.markers` calls it; blank for one that tells nothing."""
    told: Mapping[str, str | tuple[int, int]] = said.known.markers
    meaning, own = meaning_of(text, told), told.get(text)
    if meaning is None or meaning.marker == STRUCTURAL:
        return ""
    if isinstance(own, str) and own in TELLING:
        return own
    if meaning.is_range:
        return RANGE
    if meaning.marker == LOW:
        return "" if meaning.said or said.told is not None else LOW_SIGN
    return "" if meaning.said and meaning.marker == NOT_AVAILABLE else HIDDEN
