"""Postcodes and output areas of rows to the index of their smallest area.

A postcode is compared by the rule of geography.codes: upper case, without any
gap.  Most are written as the lookup has them, with one space or none, and match
as they stand, which is many times cheaper; only the others are put through the
rule.  Both ways find the same area, because the rule turns each of those two
spellings into the same postcode.
"""

import re
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from claimants.engine import keep_table
from claimants.states import State
from claimants.text import as_code, is_blank
from geography.codes import POSTCODE_GAPS

if TYPE_CHECKING:
    from geography.postcodes import Postcodes

__all__ = ["area_form", "locate"]

AREA_CODE = re.compile(r"[A-Z][0-9]{8}")


def locate(connection: Any, rows: Any, area_codes: np.ndarray, postcodes: "Postcodes | None") -> Any:
    """Rows with two more columns: `area` (int32 index, or missing) and `place_state` (a `State`, `LEFT` if located).

    `rows` has a text column `place`, as it stands in the file: a postcode if
    `postcodes` are given, else a code of `area_codes`.
    """
    if postcodes is None:
        lookup, unknown = _spelt_areas(area_codes), State.UNKNOWN_AREA
    else:
        lookup, unknown = _spelt_postcodes(postcodes), State.UNKNOWN_POSTCODE
    table = keep_table(connection, "places", lookup)
    rows = _join(rows, table, rows.place, "as_written")
    by_rule = as_code(rows.place) if postcodes is None else _bare(rows.place)
    mended = ibis.cases((rows.as_written.isnull(), by_rule), else_=None)
    rows = _join(rows, table, mended, "as_mended")
    area = rows.as_written.coalesce(rows.as_mended)
    blank = is_blank(as_code(rows.place))
    state = ibis.cases((area.notnull(), int(State.LEFT)), (blank, int(State.BLANK_PLACE)), else_=int(unknown))
    return rows.mutate(area=area, place_state=state.cast("int8")).drop("as_written", "as_mended")


def _bare(place: Any) -> Any:
    return place.upper().re_replace(POSTCODE_GAPS, "")


def _join(rows: Any, lookup: Any, key: Any, name: str) -> Any:
    twin = lookup.view()
    lookup = twin.select(written=twin.written, **{name: twin.area})
    return rows.left_join(lookup, key == lookup.written).drop("written")


def _spelt_areas(area_codes: np.ndarray) -> pa.Table:
    written = pa.array(np.asarray(area_codes).tolist(), pa.string())
    return pa.table({"written": written, "area": pa.array(np.arange(len(area_codes)), pa.int32())})


def _spelt_postcodes(postcodes: "Postcodes") -> pa.Table:
    """Each postcode without a space and, as most files write it, with one before its last three signs.

    None stands twice, which would count its claims twice: `Postcodes` holds each once.
    """
    bare = pa.array(postcodes.postcodes, pa.string())
    spaced = pc.binary_join_element_wise(pc.utf8_slice_codeunits(bare, 0, -3), pc.utf8_slice_codeunits(bare, -3), " ")
    area = pa.array(postcodes.area, pa.int32())
    return pa.table({"written": pa.concat_arrays([bare, spaced]), "area": pa.concat_arrays([area, area])})


def area_form(text: str) -> bool:
    """Whether a value has the nine characters of an official area code, so that it may be told."""
    return AREA_CODE.fullmatch(text) is not None
