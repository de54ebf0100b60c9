"""Whether what a record says of a person may be counted: the rules of the policy, one by one.

Sensitive markers count only with valid written consent.  These are the rules in the order in
which they are tried; the first that fits decides (the words of each are in the policy file):

1. What is blank, or was recorded after the reference date, is not stated.
2. *claims-nothing*: of people who claim nothing, nothing counts without recorded consent to be held.
3. *equality*: what was given for equality monitoring serves no other purpose.
4. *implied*: a marker that the benefit itself implies may stay; it does not rest on consent.
5. *withdrawal*: a withdrawal applies from its date, on that date already.  Consent given after it counts anew;
   given on the same day it does not.  A withdrawal on no day that can be read applies always.
6. *equality*: what was given for equality monitoring counts where that is the purpose.
7. *retrospective*: a marker recorded before the rule, or on no day that can be read, needs full consent given since.
8. *verbal*: verbal consent, given in a recorded conversation, holds until the day before the next attendance.
   Without a next attendance that is after the conversation it is none.
9. *telephone-service*: of people who claim nothing, a recorded call to the telephone service is full consent.  For
   those who claim, it is verbal consent.  Any other call is none for anybody.
10. *while-live*: written consent given on or after the start of the claim holds while it is live and, with
    `days_after_claim` = 91, on the 91st day after its end, not on the 92nd.
11. *new-claim*: written consent given before the claim started was given for another claim of the person: the one
    live on the day of the form.  This claim may rely on it if it started at most `days_to_new_claim` days
    after the end of that one and is marked as still relevant.  Where the extract does not hold
    that claim, nobody can tell: a new form is needed.

Consent counts from its own day on.  Nothing that is missing is ever taken for "yes", nor for "no".
"""

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum

from claimants.dimensions import NO_BENEFIT, normal_code
from claimants.policyfile import Form, Policy, PolicyRule, read_policy, shipped_policy

__all__ = [
    "WORDS",
    "Claim",
    "Form",
    "MarkerRecord",
    "Policy",
    "PolicyRule",
    "Standing",
    "may_be_held",
    "read_policy",
    "shipped_policy",
    "standing",
]

YES, NOT_STATED = "Y", "U"


class Standing(IntEnum):
    """Why a value counts (`counts` is true) or is not stated."""

    WRITTEN = 1
    RELIED_ON = 2
    VERBAL = 3
    TELEPHONE_SERVICE = 4
    IMPLIED = 5
    EQUALITY = 6
    NOT_RECORDED = 11
    RECORDED_LATER = 12
    NOT_HELD = 13
    EQUALITY_ALONE = 14
    WITHDRAWN = 15
    NO_CONSENT = 16
    OTHER_CALL = 17
    GIVEN_LATER = 18
    RETROSPECTIVE = 19
    VERBAL_OVER = 20
    LAPSED = 21
    NEW_FORM = 22
    NOT_CONFIRMED = 23

    @property
    def counts(self) -> bool:
        """Whether the value may be counted; else the person is in "not stated"."""
        return self < Standing.NOT_RECORDED


WORDS = {
    Standing.WRITTEN: "written consent, given for this claim",
    Standing.RELIED_ON: "written consent of an earlier claim, marked as still relevant",
    Standing.VERBAL: "verbal consent, until the next attendance",
    Standing.TELEPHONE_SERVICE: "a recorded call to the telephone service, of somebody who claims nothing",
    Standing.IMPLIED: "implied by the benefit",
    Standing.EQUALITY: "given for equality monitoring, and used for it",
    Standing.NOT_RECORDED: "nothing is recorded",
    Standing.RECORDED_LATER: "recorded after the reference date",
    Standing.NOT_HELD: "claims nothing and gave no recorded consent to be held",
    Standing.EQUALITY_ALONE: "given for equality monitoring alone",
    Standing.WITHDRAWN: "consent was withdrawn",
    Standing.NO_CONSENT: "no consent is recorded, or no day of it",
    Standing.OTHER_CALL: "a call that was not to the telephone service",
    Standing.GIVEN_LATER: "consent was given after the reference date",
    Standing.RETROSPECTIVE: "recorded before the rule, and no full consent was given since",
    Standing.VERBAL_OVER: "verbal consent, and the next attendance has come or is not known",
    Standing.LAPSED: "the claim ended too long ago",
    Standing.NEW_FORM: "given for a claim that ended too long before this one, or that nobody knows: a new form is needed",
    Standing.NOT_CONFIRMED: "given for an earlier claim, and not marked as still relevant",
}


@dataclass(frozen=True, kw_only=True)
class Claim:
    """First and last day of a claim, or of a registration of somebody who claims nothing; no end while it is live."""

    start: dt.date
    end: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class MarkerRecord:
    """What one row says of one sensitive field, and all that the rules look at.

    Attributes
    ----------
    field : such as "drugs_marker"; `value` is the code of its category, "U" where none can be told.
    claim, benefit : of the row; the benefit is `NO_BENEFIT` for somebody who claims nothing.
    recorded : the day the marker was recorded (`marker_recorded`), None where blank or no date; so with other days.
    given_for : the purpose the value was given for, as the extract writes it.
    form : kind of consent; None where the extract says none or something else.
    consent_date : the day a form was signed.  conversation_date : the day of the recorded conversation or call.
    next_attendance : the first attendance after the conversation.
    consent_withdrawn : the day from which consent is withdrawn; `withdrawal_unclear` where what is there is no date.
    still_relevant : whether the marker is confirmed for this claim.
    other_claims : claims of the person beside this one, ended ones too.
    consent_to_hold : the day of consent to be held at all, which people who claim nothing need.
    by_dictionary : whether the data dictionary asks for consent.
    """

    field: str
    value: str
    claim: Claim
    benefit: str
    recorded: dt.date | None = None
    given_for: str = ""
    form: Form | None = None
    consent_date: dt.date | None = None
    conversation_date: dt.date | None = None
    next_attendance: dt.date | None = None
    consent_withdrawn: dt.date | None = None
    withdrawal_unclear: bool = False
    still_relevant: bool = False
    other_claims: tuple[Claim, ...] = ()
    consent_to_hold: dt.date | None = None
    by_dictionary: bool = True

    @property
    def claims_nothing(self) -> bool:
        """Whether the person of this row claims no benefit."""
        return self.benefit == NO_BENEFIT

    @property
    def given(self) -> dt.date | None:
        """The day consent was given: that of the form, or of the conversation."""
        return self.consent_date if self.form is Form.WRITTEN else self.conversation_date


def standing(record: MarkerRecord, policy: Policy, on: dt.date, purpose: str = "counting") -> Standing:
    """Whether the value of a record counts on the reference date `on` for a purpose ("counting" or "equality")."""
    always = record.field in policy.equality_always
    where_given = record.field in policy.equality_where_given
    for_equality = always or (where_given and normal_code(record.given_for) in policy.equality_words)
    # A release that narrows the dictionary may ask for consent where the policy asks for none.
    without_consent = for_equality and not (always and record.by_dictionary)

    if record.value == NOT_STATED:
        return Standing.NOT_RECORDED
    if record.recorded is not None and record.recorded > on:
        return Standing.RECORDED_LATER
    if record.claims_nothing and not may_be_held(record, on):
        return Standing.NOT_HELD
    if for_equality and purpose != "equality":
        return Standing.EQUALITY_ALONE
    if record.value == YES and record.benefit in policy.implied.get(record.field, ()):
        return Standing.IMPLIED
    if _withdrawn(record, record.given, on):
        return Standing.WITHDRAWN
    if without_consent:
        return Standing.EQUALITY
    return _by_consent(record, policy, on)


def may_be_held(record: MarkerRecord, on: dt.date) -> bool:
    """Whether somebody who claims nothing gave consent to be held at all, and had not withdrawn it on the date."""
    given = record.consent_to_hold
    return given is not None and given <= on and not _withdrawn(record, given, on)


def _withdrawn(record: MarkerRecord, given: dt.date | None, on: dt.date) -> bool:
    withdrawn = record.consent_withdrawn
    if record.withdrawal_unclear:
        return True
    if withdrawn is None or withdrawn > on:
        return False
    given_anew = given is not None and withdrawn < given <= on
    return not given_anew


def _by_consent(record: MarkerRecord, policy: Policy, on: dt.date) -> Standing:
    if record.form is Form.OTHER_CALL:
        return Standing.OTHER_CALL
    if record.form is None or record.given is None:
        return Standing.NO_CONSENT
    if record.given > on:
        return Standing.GIVEN_LATER

    call_is_full = record.form is Form.TELEPHONE_SERVICE and record.claims_nothing
    full = record.form is Form.WRITTEN or call_is_full
    recorded_before = record.recorded is None or record.recorded < policy.recorded_before
    if recorded_before and not (full and record.given >= policy.recorded_before):
        return Standing.RETROSPECTIVE

    if call_is_full:
        return Standing.TELEPHONE_SERVICE
    if record.form is Form.WRITTEN:
        return _by_form(record, policy, on, record.given)
    next_one = record.next_attendance
    if next_one is not None and record.given < next_one and on < next_one:
        return Standing.VERBAL
    return Standing.VERBAL_OVER


def _by_form(record: MarkerRecord, policy: Policy, on: dt.date, given: dt.date) -> Standing:
    """Written consent: for which claim it was given, and whether that one still carries it."""
    end = record.claim.end
    lapsed = end is not None and (on - end).days > policy.days_after_claim
    if given >= record.claim.start:
        return Standing.LAPSED if lapsed else Standing.WRITTEN

    live_then = [one for one in record.other_claims if one.start <= given and (one.end is None or given <= one.end)]
    if not live_then:
        return Standing.NEW_FORM
    ends = [one.end for one in live_then if one.end is not None]
    still_live = len(ends) < len(live_then)
    if not still_live and (record.claim.start - max(ends)).days > policy.days_to_new_claim:
        return Standing.NEW_FORM
    if not record.still_relevant:
        return Standing.NOT_CONFIRMED
    return Standing.LAPSED if lapsed else Standing.RELIED_ON
