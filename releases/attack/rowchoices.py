"""Some rows of a file that holds several tables one below another: ``[file.where]`` under ``--known``.

A file with a column of periods, of sexes or of measures is a table for each of
them.  The rows that are left keep their places in the file, for faults to name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from common.faults import Faults
from geography.textcolumns import TextColumns
from releases.files.tidyfile import Tidy, quotable

__all__ = ["choose_rows"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _ChosenRows(TextColumns):
    """Columns of the rows at `kept` (int64) of `whole`."""

    whole: TextColumns
    kept: np.ndarray

    @cached_property
    def rows(self) -> np.ndarray:
        """Where each row stands in the file."""
        rows: np.ndarray = self.whole.rows[self.kept]
        return rows


def choose_rows(tidy: Tidy, where: Mapping[str, str]) -> Tidy:
    """The rows in which every column of `where` holds its text, spaces around it aside; all where nothing is asked.

    The columns of `where` must have been read.

    Raises
    ------
    InputError
        A text stands in no row, or the texts together do.
    """
    if not where:
        return tidy
    faults = Faults(str(tidy.text.path))
    kept = np.ones(tidy.height, np.bool_)
    for column, text in where.items():
        plain = pc.utf8_trim_whitespace(tidy.text.columns[column])
        found = pc.equal(plain, pa.scalar(text.strip())).to_numpy()
        if not found.any():
            mend = "write it as it stands in the file"
            faults.add("where", f"no row holds {quotable(text)}", mend, column=column, key="file.where")
        kept &= found
    if not faults.found and not kept.any():
        mend = "leave one of them out, or correct it"
        faults.add("where", "no row holds all that is asked", mend, key="file.where")
    faults.raise_if_any()
    at = np.flatnonzero(kept)
    columns = {name: texts.take(pa.array(at)) for name, texts in tidy.text.columns.items()}
    return replace(tidy, text=_ChosenRows(path=tidy.text.path, columns=columns, whole=tidy.text, kept=at))
