"""The rules of `claimants.consent` over all rows at once, as Ibis expressions.

Each expression says what the plain function of that module says of one record, in the same
order; a test holds the two together.  Nothing of this is read or worked out where no
sensitive field is asked for.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import ibis

from claimants.consent import Policy, Standing
from claimants.dates import as_date
from claimants.dimensions import Dimension, dimension, normal_code
from claimants.extract import ExtractSpec, Need
from claimants.policyfile import Form
from claimants.text import as_code, is_blank
from common.faults import Faults

__all__ = [
    "consent_columns",
    "consent_needs",
    "hold_columns",
    "hold_needs",
    "sensitive_columns",
    "standing_of",
    "with_allowed",
    "with_given_claim",
    "with_held",
]

NOT_STATED = 0
NEVER_ENDS = dt.date(9999, 12, 31)
DATES = {
    "consent_date": "signed_on",
    "conversation_date": "spoken_on",
    "next_attendance": "next_attendance",
    "marker_recorded": "recorded_on",
}
"""Field → column of rows, for dates of which what cannot be read is as good as blank."""


def consent_needs(dimensions: Sequence[Dimension]) -> list[Need]:
    """The fields that say whether what is sensitive may count; none where nothing sensitive is asked for.

    Where the dictionary asks for consent, form, date and withdrawal of it must be there.
    """
    if not any(wanted.sensitive for wanted in dimensions):
        return []
    must = any(wanted.consent for wanted in dimensions)
    return [
        Need(field="consent_form", purpose="consent", required=must),
        Need(field="consent_date", purpose="consent", required=must, date=True),
        Need(field="consent_withdrawn", purpose="consent", required=must, date=True),
        Need(field="still_relevant", purpose="consent", required=False),
        Need(field="conversation_date", purpose="consent", required=False, date=True),
        Need(field="next_attendance", purpose="consent", required=False, date=True),
        Need(field="marker_recorded", purpose="consent", required=False, date=True),
        Need(field="given_for", purpose="consent", required=False),
    ]


def hold_needs() -> list[Need]:
    """The fields that say whether somebody who claims nothing may be held; looked at where an extract has them."""
    return [
        Need(field="consent_to_hold", purpose="consent", required=False, date=True),
        Need(field="consent_withdrawn", purpose="consent", required=False, date=True),
    ]


def sensitive_columns(part: Any, spec: ExtractSpec, sensitive: Sequence[Dimension], policy: Policy) -> dict[str, Any]:
    """Columns that say what is sensitive and whether it may count; none where nothing sensitive is asked for."""
    if not sensitive:
        return {}
    values = {f"{wanted.name}_text": as_code(part[wanted.field]).fill_null("") for wanted in sensitive}
    return values | consent_columns(part, spec, policy)


def with_allowed(
    rows: Any, source: Any, sensitive: Sequence[Dimension], policy: Policy, spec: ExtractSpec, reference: dt.date
) -> Any:
    """Rows with each sensitive dimension "not stated" where its value may not count; `source` as `with_given_claim` has it."""
    asked = {wanted.name: spec.dictionary.fields[wanted.field].consent for wanted in sensitive}
    if any(asked.values()) or any(wanted.field not in policy.equality_always for wanted in sensitive):
        rows = with_given_claim(rows, source)
    else:
        rows = rows.mutate(given_end=ibis.null("date"))
    # A value that the list lacks is unknown, which is neither yes nor no.
    rows = rows.mutate(**{name: ibis.greatest(rows[name], NOT_STATED).cast("int8") for name in asked})
    found = {
        wanted.name: standing_of(rows, wanted, policy, reference, consent=asked[wanted.name]) for wanted in sensitive
    }
    counting = [int(one) for one in Standing if one.counts]
    return rows.mutate(
        **{
            name: ibis.cases((standing.isin(counting), rows[name]), else_=NOT_STATED).cast("int8")
            for name, standing in found.items()
        }
    )


def consent_columns(part: Any, spec: ExtractSpec, policy: Policy) -> dict[str, Any]:
    """Columns of a part of an extract that the rules look at; what the part lacks is missing in every row."""
    columns: dict[str, Any] = {}
    for name, column in DATES.items():
        there = name in part.columns
        columns[column] = as_date(part[name], spec.dates)[0].cast("date") if there else ibis.null("date")
    columns["form"] = _coded(part, "consent_form", _forms(policy, spec))
    columns["relevant"] = _says(part, "still_relevant", _yes(spec))
    columns["for_equality"] = _says(part, "given_for", policy.equality_words)
    return columns


def hold_columns(part: Any, spec: ExtractSpec) -> dict[str, Any]:
    """Columns of a part of an extract on consent to be held and on withdrawals, as `with_held` takes them."""
    columns = {"to_hold": ibis.null("date"), "withdrawn_on": ibis.null("date"), "no_withdrawal": ibis.literal(True)}
    if "consent_to_hold" in part.columns:
        columns["to_hold"] = as_date(part.consent_to_hold, spec.dates)[0].cast("date")
    if "consent_withdrawn" in part.columns:
        withdrawn, columns["no_withdrawal"] = as_date(part.consent_withdrawn, spec.dates)
        columns["withdrawn_on"] = withdrawn.cast("date")
    return columns


def with_held(rows: Any, on: dt.date) -> Any:
    """Rows with `withdrawal_unclear`: something else than a date says that consent is withdrawn; and `held`: there is
    consent to be held at all that holds on the date.  Neither is ever missing.
    """
    # Put on rows behind a join, for before it every date would be read anew wherever it is looked at.
    rows = rows.mutate(withdrawal_unclear=rows.withdrawn_on.isnull() & ~rows.no_withdrawal)
    withdrawn = _withdrawn(rows.withdrawn_on, rows.withdrawal_unclear, rows.to_hold, on)
    return rows.mutate(held=_true(rows.to_hold <= ibis.literal(on)) & ~withdrawn)


def with_given_claim(rows: Any, source: Any) -> Any:
    """Rows with a column `given_end`: the last day of the claim that a form was signed for, where an earlier one was.

    Of the claims of the person that were live on the day of the form the one that ended last; `NEVER_ENDS` if
    that is live still; missing where there is none.  `rows` has `person` and `signed_on`; `source`, the same
    rows before anything was joined to them (which keeps the query short), also `form`, `start`, `end`, `no_end`, `erasure`.
    """
    own = source
    signed_before = _true((own.form == int(Form.WRITTEN)) & (own.signed_on < own.start)) & ~is_blank(own.person)
    asked = own.filter(signed_before).select(holder=own.person, day=own.signed_on).distinct()
    told = own.start.notnull() & (own.no_end | _true(own.end >= own.start)) & (own.erasure == 0)
    spells = own.filter(told & ~is_blank(own.person)).select(
        claimant=own.person, first=own.start, last=ibis.cases((own.no_end, ibis.literal(NEVER_ENDS)), else_=own.end)
    )
    live = asked.join(
        spells, [asked.holder == spells.claimant, spells.first <= asked.day, spells.last >= asked.day]
    ).select("holder", "day", "last")
    ends = live.group_by("holder", "day").aggregate(given_end=live["last"].max())
    return rows.left_join(ends, [rows.person == ends.holder, rows.signed_on == ends.day]).drop("holder", "day")


def standing_of(rows: Any, wanted: Dimension, policy: Policy, on: dt.date, *, consent: bool) -> Any:
    """The `Standing` of each row's value of a sensitive dimension, as int8: never missing.

    `rows` has the index of the value in a column of the dimension's name (0: not stated), `benefit`, `held`, `start`,
    `end` and what `consent_columns`, `with_held` and `with_given_claim` add; `consent`: the dictionary asks for consent.
    """
    date = ibis.literal(on)
    nothing = rows.benefit == len(dimension("benefit").categories)
    always = wanted.field in policy.equality_always
    where_given = wanted.field in policy.equality_where_given
    for_equality = ibis.literal(True) if always else rows.for_equality if where_given else ibis.literal(False)
    given = ibis.cases((rows.form == int(Form.WRITTEN), rows.signed_on), else_=rows.spoken_on)

    rules: list[tuple[Any, Standing]] = [
        (rows[wanted.name] == 0, Standing.NOT_RECORDED),
        (rows.recorded_on > date, Standing.RECORDED_LATER),
        (nothing & ~rows.held, Standing.NOT_HELD),
    ]
    if wanted.purpose != "equality":
        rules.append((for_equality, Standing.EQUALITY_ALONE))
    rules.append((_implied(rows, wanted, policy), Standing.IMPLIED))
    rules.append((_withdrawn(rows.withdrawn_on, rows.withdrawal_unclear, given, on), Standing.WITHDRAWN))
    if not (always and consent):
        rules.append((for_equality, Standing.EQUALITY))
    rules += _by_consent(rows, policy, on, given, nothing)
    return ibis.cases(*((rule, int(found)) for rule, found in rules), else_=int(Standing.RELIED_ON)).cast("int8")


def _by_consent(rows: Any, policy: Policy, on: dt.date, given: Any, nothing: Any) -> list[tuple[Any, Standing]]:
    """Rules on the form of consent; what none of them fits relies on the form of an earlier claim."""
    date, since = ibis.literal(on), ibis.literal(policy.recorded_before)
    written = rows.form == int(Form.WRITTEN)
    call_is_full = (rows.form == int(Form.TELEPHONE_SERVICE)) & nothing
    recorded_before = rows.recorded_on.isnull() | (rows.recorded_on < since)
    own = given >= rows.start
    lapsed = _true(date.delta(rows.end, unit="day") > policy.days_after_claim)
    far = rows.start.delta(rows.given_end, unit="day") > policy.days_to_new_claim
    in_between = _true((given < rows.next_attendance) & (rows.next_attendance > date))
    return [
        (rows.form == int(Form.OTHER_CALL), Standing.OTHER_CALL),
        (rows.form.isnull() | given.isnull(), Standing.NO_CONSENT),
        (given > date, Standing.GIVEN_LATER),
        (recorded_before & ~((written | call_is_full) & (given >= since)), Standing.RETROSPECTIVE),
        (call_is_full, Standing.TELEPHONE_SERVICE),
        (~written & in_between, Standing.VERBAL),
        (~written, Standing.VERBAL_OVER),
        (own & lapsed, Standing.LAPSED),
        (own, Standing.WRITTEN),
        (rows.given_end.isnull() | far, Standing.NEW_FORM),
        (~rows.relevant, Standing.NOT_CONFIRMED),
        (lapsed, Standing.LAPSED),
    ]


def _implied(rows: Any, wanted: Dimension, policy: Policy) -> Any:
    benefits = [dimension("benefit").categories.index(code) for code in policy.implied.get(wanted.field, ())]
    if not benefits:
        return ibis.literal(False)
    return (rows[wanted.name] == wanted.categories.index("Y")) & rows.benefit.isin(benefits)


def _withdrawn(withdrawn: Any, unclear: Any, given: Any, on: dt.date) -> Any:
    anew = _true((withdrawn < given) & (given <= ibis.literal(on)))
    return unclear | (_true(withdrawn <= ibis.literal(on)) & ~anew)


def _forms(policy: Policy, spec: ExtractSpec) -> dict[str, int]:
    """How the extract writes each kind of consent, the release's own words first."""
    names = {form.name.lower(): form for form in Form}
    own = _own_words("consent_form", names, spec)
    return {text: int(form) for text, form in {**policy.forms, **own}.items()}


def _yes(spec: ExtractSpec) -> list[str]:
    """How the extract says yes, as for markers."""
    marker = dimension("offending_marker")
    own = _own_words("still_relevant", {code: index for index, code in enumerate(marker.categories)}, spec)
    return [text for text, index in {**marker.spellings, **own}.items() if marker.categories[index] == "Y"]


def _own_words(name: str, codes: Mapping[str, Any], spec: ExtractSpec) -> dict[str, Any]:
    faults, found = Faults(), {}
    for text, code in spec.values.get(name, {}).items():
        if code in codes:
            found[normal_code(text)] = codes[code]
        else:
            mend = f"use one of {', '.join(codes)}"
            faults.add("unknown code", f"'{code}' is not known", mend, key=f"claims.values.{name}")
    faults.raise_if_any()
    return found


def _coded(part: Any, name: str, meanings: Mapping[str, int]) -> Any:
    """A column by what its words mean; missing for other words and where the part lacks it."""
    if name not in part.columns:
        return ibis.null("int8")
    text = as_code(part[name])
    words: dict[int, list[str]] = {}
    for word, meaning in meanings.items():
        words.setdefault(meaning, []).append(word)
    return ibis.cases(*((text.isin(same), meaning) for meaning, same in words.items()), else_=None).cast("int8")


def _says(part: Any, name: str, words: Sequence[str]) -> Any:
    """Whether a column says one of the words: never missing."""
    if name not in part.columns or not words:
        return ibis.literal(False)
    return _true(as_code(part[name]).isin(list(words)))


def _true(condition: Any) -> Any:
    """A condition that is false where it cannot be told."""
    return condition.fill_null(False)
