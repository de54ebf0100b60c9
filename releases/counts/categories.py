"""Which categories there are: from a list in a file, or from the table itself where the user says that it names all."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from common.faults import Faults
from geography.nesting import encode_text, first_rows
from releases.files.tidyfile import Tidy, quotable, read_tidy
from sdc.tables import TOTAL, Classification

__all__ = ["cross_categories", "own_categories", "read_categories", "tell_wrong_categories"]

COLUMNS = ("dimension", "category")


def read_categories(path: Path, by: Sequence[str]) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Categories per dimension of `by`, sorted by code point, and notices, from a file with `dimension`, `category`.

    Dimensions that the file does not list are left out of the answer.

    Raises
    ------
    InputError
        The file cannot be read, a cell is blank, a category is Total, or a row repeats another.
    """
    tidy = read_tidy(path, needed=COLUMNS)
    faults = Faults(str(path))
    dimensions, of_row = encode_text(tidy.text.columns["dimension"])
    categories, category = encode_text(tidy.text.columns["category"])
    for at in np.flatnonzero((np.char.strip(dimensions) == "")[of_row]):
        faults.add("blank category", "no dimension", "name one in every row", row=tidy.row(at), column="dimension")
    tell_wrong_categories(tidy, "category", categories, category, faults)
    _tell_repeats(tidy, of_row.astype(np.int64) * len(categories) + category, faults)
    faults.raise_if_any()
    listed = {
        name: tuple(str(code) for code in np.unique(categories[category[of_row == place]]))
        for place, name in enumerate(dimensions.tolist())
    }
    others = [quotable(name) for name in listed if name not in by]
    notices = tidy.notices
    if others:
        notices += (f"{path.name}: lists {', '.join(others)}, which the table is not by; left aside",)
    return {name: codes for name, codes in listed.items() if name in by}, notices


def own_categories(tidy: Tidy, column: str, total: str = TOTAL) -> tuple[str, ...]:
    """The categories that a column itself names, sorted by code point; blanks and margins are none."""
    values, _ = encode_text(tidy.text.columns[column])
    return tuple(str(value) for value in values if str(value).strip() not in ("", TOTAL, total))


def cross_categories(dimensions: Mapping[str, Sequence[str]]) -> Classification:
    """The finest crossing of the dimensions, in their order; totals alone where there is no dimension."""
    crossed = tuple(product(*(sorted(codes) for codes in dimensions.values()))) if dimensions else ()
    return Classification(dimensions=tuple(dimensions), categories=crossed)


def tell_wrong_categories(tidy: Tidy, column: str, values: np.ndarray, index: np.ndarray, faults: Faults) -> np.ndarray:
    """Note a fault for each row whose category is blank or Total; returns which values may be categories (bool)."""
    plain = np.char.strip(values)
    blank, total = plain == "", plain == TOTAL
    for at in np.flatnonzero(blank[index]):
        faults.add("blank category", "no category", "name one in every row", row=tidy.row(at), column=column)
    for at in np.flatnonzero(total[index]):
        mend = "leave rows of margins out: they are worked out here"
        faults.add("margin", f"'{TOTAL}' as a category", mend, row=tidy.row(at), column=column)
    possible: np.ndarray = ~(blank | total)
    return possible


def _tell_repeats(tidy: Tidy, keys: np.ndarray, faults: Faults) -> None:
    _, index = np.unique(keys, return_inverse=True)
    first = first_rows(index, int(index.max(initial=-1)) + 1)
    for at in np.flatnonzero(first[index] != np.arange(len(index))):
        found = f"the same category as in row {tidy.row(first[index[at]])}"
        faults.add("repeated row", found, "list every category once", row=tidy.row(at))
