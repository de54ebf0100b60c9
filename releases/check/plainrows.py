"""Plain rows cut out of a worksheet's XML and read together, so that a country's rows need not go tag by tag.

Calling a handler at every tag is nearly all that reading a large workbook
costs.  Nearly all rows of a large table are plain: each cell holds a whole
number or a text and nothing else, and all are written alike.  So the XML is cut
behind the end tag of each row, and the plain rows among a block of rows are
read together; in what goes on to the parser a mark stands in their place.
Whatever else there is goes on as it stands: what lies between rows, and every
row with a tag or a cell of any other form.  At a mark the handlers take the
rows that stood there.

A reader that works so finds what one finds that reads each tag:

- A plain row is a well-formed element by itself, so that a file is well formed
  exactly where it is so with marks in the place of plain rows.
- A mark is an element in the namespaces of the row and its cells, and stands
  where they stood.  Its name is drawn anew for each file: no file can hold a mark.
- In comments, sections of character data, instructions and document types there
  is text that looks like rows and is none.  `releases.check.xmlparts` refuses
  files with any of them, and files in other encodings than UTF-8 and UTF-16.
- Equal bytes hold equal cells, so that cells that stand often are read once.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from releases.check.sheets import Cell

__all__ = ["BLOCK", "LATER", "PLAIN_TEXT", "PlainForm", "PlainRows"]

BLOCK = 1 << 20
PLAIN_TEXT = rb"[^<>&\x00-\x1f\xef]+"
"""Text that XML reads as it stands: no markup, reference or control, nor the byte that starts U+FFFE, which it forbids."""

LATER = -1
"""The place of a cell of which only this is known: it is not the first of its row."""

# Places of what stands behind the last cell of a plain row, which is nothing, and of what is not plain.
END, ODD = -2, -3


@dataclass(frozen=True, kw_only=True)
class PlainForm:
    """How a format writes plain rows.

    Rows end with `row_end`, cells with `cell_end`.  `freed` takes the XML of rows
    up to their end tags.  It gives the number of each, 0 where it bears none, and
    its XML freed of that number, blank where the row is not plain, or bears
    another number than the one behind that of the row before it.  `read` takes a
    piece of what is freed: a cell up to its end tag, the first of a row behind the
    row's tag.  It gives the place of the cell in its row, from 0, or `LATER`, and
    what the cell holds; None where it is not plain.  `mark` is the XML of a mark,
    ``NAME`` standing for its name.
    """

    row_end: bytes
    cell_end: bytes
    freed: Callable[[list[bytes]], tuple[list[int], list[bytes]]]
    read: Callable[[bytes], tuple[int, Cell] | None]
    mark: str


class PlainRows:
    """The plain rows of one XML file, kept until the handlers come to their marks."""

    def __init__(self, form: PlainForm) -> None:
        self.name = f"rows{secrets.token_hex(8)}"
        self._form = form
        self._mark = form.mark.replace("NAME", self.name).encode()
        self._known: dict[bytes, tuple[int, Cell]] = {}
        self._waiting: deque[tuple[int, list[list[Cell]]]] = deque()

    def take(self) -> tuple[int, list[list[Cell]]]:
        """The rows in the place of the mark that the parser has come to, and the number of the first."""
        return self._waiting.popleft()

    @property
    def waiting(self) -> bool:
        """Whether there is a mark that the handlers have not come to."""
        return bool(self._waiting)

    def marked(self, content: IO[bytes]) -> Iterator[bytes]:
        """The XML with marks in the place of plain rows, piece by piece."""
        rest = b""
        while block := content.read(BLOCK):
            *rows, rest = (rest + block).split(self._form.row_end)
            if rows:
                yield self._marked_rows(rows)
            else:  # text without rows goes on at once, lest it be searched again with every block
                yield rest
                rest = b""
        yield rest

    def _marked_rows(self, rows: list[bytes]) -> bytes:
        """Rows without their end tags, the first with whatever stands before it, as XML with marks."""
        numbers, freed = self._form.freed(rows)
        cells = self._cells(freed)
        pieces, start = [], 0
        for plain, run in groupby(cells, bool):
            found = list(run)
            stop = start + len(found)
            if plain:
                self._waiting.append((numbers[start], found))
                pieces.append(self._mark)
            else:
                pieces.extend(row + self._form.row_end for row in rows[start:stop])
            start = stop
        return b"".join(pieces)

    def _cells(self, rows: list[bytes]) -> list[list[Cell]]:
        """The cells of each row; none where the row is not plain."""
        lists = pc.split_pattern(pa.array(rows, pa.binary()), pattern=self._form.cell_end)
        encoded = lists.values.dictionary_encode()
        index = encoded.indices.to_numpy()
        found = [self._known.get(piece) or self._read(piece) for piece in encoded.dictionary.to_pylist()]
        places = np.array([place for place, _ in found])[index]
        cells = np.array([cell for _, cell in found], dtype=object)[index].tolist()
        offsets = lists.offsets.to_numpy()
        starts, last = offsets[:-1], offsets[1:] - 1
        columns = np.arange(len(index)) - np.repeat(starts, np.diff(offsets))
        right = (places == columns) | ((places == LATER) & (columns > 0))
        right[last] = places[last] == END
        plain = np.logical_and.reduceat(right, starts).tolist()
        return [
            cells[start : stop - 1] if whole else []
            for (start, stop), whole in zip(pairwise(offsets.tolist()), plain, strict=True)
        ]

    def _read(self, piece: bytes) -> tuple[int, Cell]:
        """Place and content of a piece that was not met before."""
        self._known[piece] = (self._form.read(piece) if piece else (END, None)) or (ODD, None)
        return self._known[piece]
