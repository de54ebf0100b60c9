"""What a way of showing counts can promise, against simulation of every count; and profiles that claim it."""

from dataclasses import replace

import pytest
from attack_tools import CONVENTIONAL, additive, nearest, shown, tree, true_table
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from common.faults import Infeasible, InputError
from sdc.attack.judge import audit_tables
from sdc.presentation import Band
from sdc.profiles import Fact, Profile, Source, differences, lock_of, settle
from sdc.promises import PROMISE_SENTENCES, PROMISES, strongest_promise
from sdc.rules.settings import Settings
from sdc.tables import Method

SOURCE = Source(title="A policy", publisher="Somebody", date="2020")
EXACT, STARRED = Band(), (Band(), Band(least=1, mark="*"), Band(least=5, nearest=5))


def rounding(method, base, min_count):
    return Settings(method=method, base=base, min_count=min_count)


def profile(**more):
    plain = {
        "name": "mine",
        "version": 1,
        "title": "Mine",
        "body": "Me",
        "promise": "full",
        "settings": Settings(),
        "sources": (SOURCE,),
    }
    return Profile(**{**plain, **more})


@pytest.mark.parametrize(
    ("given_settings", "bands", "kept"),
    [
        (rounding("controlled-rounding", 5, 5), (), "full"),
        (rounding("controlled-rounding", 3, 3), (), "full"),
        (rounding("controlled-rounding", 10, 5), (), "full"),
        # A 4 may be shown as 3 or 6: wide enough alone is not, for 3 to 5 is narrower than 4.
        (rounding("controlled-rounding", 3, 5), (), "intervals-only"),
        # 1 or 3 shown as 2 is 1 to 3, and so provenly small.
        (rounding("controlled-rounding", 2, 5), (), "shows-small"),
        # A 0 is 0 to 2: it proves nothing small, but is narrower than 4.
        (rounding("conventional-rounding", 5, 5), (), "intervals-only"),
        # A 5 is 3 to 7: below 8, and not 0.
        (rounding("conventional-rounding", 5, 8), (), "shows-small"),
        (rounding("random-rounding", 3, 3), (), "intervals-only"),
        (rounding("small-count-rounding", 5, 5), (), "intervals-only"),
        (rounding("small-count-rounding", 3, 5), (), None),
        (Settings(method="suppression", base=1), (), "full"),
        (Settings(method="cell-key", base=1, max_noise=5, never_shown=4), (), "intervals-only"),
        # A 1 comes from 1 to 3.
        (Settings(method="cell-key", base=1, max_noise=2), (), "shows-small"),
        (Settings(), STARRED, "shows-small"),
        (Settings(), (Band(mark="low"), Band(least=5)), "intervals-only"),
        (Settings(), (EXACT,), None),
    ],
)
def test_the_strongest_promise(given_settings, bands, kept):
    assert strongest_promise(given_settings, bands) == kept


def values_of(count, method, base, noise, hidden):
    """Every value that a count may be shown as."""
    low, rest = base * (count // base), count % base
    if method == "conventional-rounding":
        return {low + base * (2 * rest >= base)}
    if method == "cell-key":
        reach = range(max(count - noise, 0), count + noise + 1)
        return {0} if count == 0 else {value for value in reach if not 1 <= value <= hidden}
    if method == "small-count-rounding":
        return {0, base} if 0 < count < base else {count}
    return {low, low + base} if rest else {low}


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(
        ["controlled-rounding", "random-rounding", "conventional-rounding", "small-count-rounding", "cell-key"]
    ),
    st.integers(2, 12),
    st.integers(2, 12),
    st.integers(1, 6),
    st.integers(0, 4),
)
def test_own_intervals_against_every_count(method, base, min_count, noise, hidden):
    noisy = method == "cell-key"
    given_settings = Settings(
        method=method,
        base=1 if noisy else base,
        min_count=min_count,
        max_noise=noise if noisy else None,
        never_shown=hidden if noisy else None,
    )
    counts = range(80)
    said = {count: values_of(count, method, base, noise, hidden) for count in counts}
    assume(all(said.values()))
    alone = []
    for count in range(1, min_count):
        for value in said[count]:
            alike = [other for other in counts if value in said[other]]
            alone.append((min(alike), max(alike)))
    kept = strongest_promise(given_settings)
    if any(low == high for low, high in alone):
        assert kept is None
    elif any(low >= 1 and high < min_count for low, high in alone):
        assert kept == "shows-small"
    else:
        narrow = any(high - low < min_count - 1 for low, high in alone)
        assert kept == ("full" if method == "controlled-rounding" and not narrow and base >= 3 else "intervals-only")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=4), st.sampled_from([3, 5]))
def test_what_can_promise_all_passes_the_attack(finest, base):
    assert strongest_promise(rounding("controlled-rounding", base, base)) == "full"
    table = true_table(tree([0, 0, 1, 1], [0, 0]), finest)
    method = Method(name="controlled-rounding", base=base, min_count=base)
    safe = additive(table, seed=1, method=method)
    if safe is not None:
        assert audit_tables({"t": safe}, min_count=base, truth={"t": table}).safe


def test_what_promises_intervals_alone_fails_the_attack():
    """Four areas of 2 under one total: each alone may be 0, together each is exactly 2."""
    table = true_table(tree([0, 0, 0, 0]), [2, 2, 2, 2])
    found = audit_tables({"t": nearest(table, CONVENTIONAL)}, min_count=5).findings
    assert {finding.interval for finding in found if finding.kind == "pinned"} == {(2, 2)}
    thirds = Method(name="random-rounding", base=3, min_count=3)
    pair = shown(true_table(tree([0, 0]), [2, 2]), [[[0], [0]], [[6]]], thirds)
    found = audit_tables({"t": pair}, min_count=3).findings
    assert [finding.interval for finding in found if finding.kind == "pinned"] == [(2, 2), (2, 2)]


def test_promises_have_their_sentences():
    assert set(PROMISE_SENTENCES) == set(PROMISES)
    assert "known" not in "".join(PROMISE_SENTENCES.values())


class TestProfile:
    def test_it_cannot_claim_more_than_its_rules_keep(self):
        conventional = rounding("conventional-rounding", 5, 5)
        assert profile(promise="intervals-only", settings=conventional)
        assert profile(promise="shows-small", settings=conventional)
        with pytest.raises(
            ValueError, match=r"promise \(full\) must be one that the rules keep, at most intervals-only"
        ):
            profile(promise="full", settings=conventional)
        with pytest.raises(ValueError, match="gives a small count away"):
            profile(promise="shows-small", bands=(EXACT,))

    def test_what_it_says_must_hold_together(self):
        for wrong, why in (
            ({"version": 0}, "version"),
            ({"promise": "most"}, "promise"),
            ({"bands": (Band(least=3),)}, "start at 0"),
            ({"origins": (("base", "hearsay"),)}, "origin"),
            ({"origins": (("colour", "ours"),)}, "origin"),
            ({"facts": (Fact(text="So.", source=2, checked=True),)}, "sources"),
            ({"settings": Settings(percentages="true")}, "caveat"),
        ):
            with pytest.raises(ValueError, match=why):
                profile(**wrong)

    def test_a_base_below_min_count_cannot_keep_the_full_promise(self):
        with pytest.raises(Infeasible) as caught:
            settle(profile(), min_count=8)
        assert caught.value.demands == ("base = 5", "min_count = 8")
        assert "mine" in str(caught.value)
        assert caught.value.exit_code == 3
        starred = profile(
            promise="shows-small",
            settings=rounding("conventional-rounding", 5, 8),
            bands=(EXACT, Band(least=1, mark="*"), Band(least=8, nearest=5)),
        )
        assert settle(starred) == starred.settings
        with pytest.raises(Infeasible, match="base 5 is below min_count 8"):
            settle(starred, promise="full")
        assert settle(profile(), method="suppression", min_count=8).min_count == 8

    def test_what_is_asked_besides_counts_unless_the_profile_is_locked(self):
        assert settle(profile(), base=7).base == 7
        locked = profile(locked=True)
        assert settle(locked, base=5, method="controlled-rounding") == locked.settings
        with pytest.raises(InputError) as caught:
            settle(locked, base=7, min_count=4)
        assert [fault.key for fault in caught.value.faults] == ["--base", "--min-count"]
        assert caught.value.faults[0].found == "profile mine fixes base at 5"

    def test_bands_fix_what_they_hang_on(self):
        banded = profile(promise="shows-small", settings=rounding("conventional-rounding", 5, 5), bands=STARRED)
        with pytest.raises(InputError, match="fixes base at 5"):
            settle(banded, base=10)

    def test_settings_that_do_not_go_together_are_a_fault_of_the_options(self):
        with pytest.raises(InputError) as caught:
            settle(profile(), method="cell-key")
        assert "max_noise" in str(caught.value)

    def test_its_lock_is_of_all_it_says(self):
        mine = profile()
        locks = {lock_of(mine)}
        for more in (
            {"version": 2},
            {"caveats": ("Beware.",)},
            {"facts": (Fact(text="So.", source=1, checked=True),)},
            {"facts": (Fact(text="So.", source=1, checked=False),)},
            {"settings": replace(mine.settings, k=0)},
            {"origins": (("base", "ours"),)},
        ):
            locks.add(lock_of(profile(**more)))
        assert len(locks) == 7
        assert lock_of(mine) == lock_of(profile())

    def test_differences_are_told_both_ways(self):
        mine = profile(facts=(Fact(text="So.", source=1, checked=True),))
        other = profile(
            version=2,
            settings=replace(mine.settings, base=10, k=1),
            origins=(("base", "ours"),),
            facts=(Fact(text="So.", source=1, checked=False),),
            caveats=("Beware.",),
        )
        assert differences(mine, other) == (
            ("version", "1", "2"),
            ("base", "5", "10 (ours)"),
            ("fact: So.", "yes", ""),
            ("k", "", "1"),
            ("said, but not checked: So.", "", "yes"),
            ("caveat: Beware.", "", "yes"),
        )
        assert differences(mine, mine) == ()
