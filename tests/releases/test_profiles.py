"""The profiles that ship: their words, locks and promises, and files that cannot be read."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from attack_tools import tree, true_table

from common.faults import Infeasible, InputError
from common.resources import data_path
from releases.rules.profiles import (
    difference_lines,
    explanation_lines,
    find_profile,
    list_lines,
    profile_as_dict,
    profile_names,
    read_profile,
    shipped_locks,
)
from sdc.attack.judge import audit_tables
from sdc.presentation import present, shown_table
from sdc.profiles import lock_of, settle
from sdc.promises import PROMISE_SENTENCES, strongest_promise
from sdc.rules.flags import apply_rules
from sdc.rules.settings import rules_of

ASKED = (
    "census-2021-like",
    "dwp-oa",
    "gss-3",
    "gss-5",
    "hesa",
    "mod-10",
    "mod-5",
    "nhs-hes",
    "ofqual",
    "ons-10-5",
    "opensafely",
    "statsnz-rr3",
    "us-drb",
)
WRONG = """
version = 1
title = ""
body = "Me"
promise = "all of it"
settings = { method = { value = "controlled-rounding", from = "ours" }, base = { value = "5", from = "hearsay" } }
colour = "blue"
source = [{ title = "A policy", publisher = "Somebody", date = "2020" }]
"""
MINE = """
version = 1
title = "Mine"
body = "Me"
promise = "full"
[settings]
method = { value = "controlled-rounding", from = "ours" }
base = { value = 5, from = "ours" }
min_count = { value = 5, from = "ours" }
[[source]]
title = "A policy"
publisher = "Somebody"
date = "2020"
"""


def shown(name: str, *counts: int) -> list[str]:
    return present(np.array(counts), find_profile(name).bands).tolist()


def test_v18_profiles() -> None:
    """Methods, section 7, V18."""
    assert shown("nhs-hes", 0, 1, 7, 8, 12, 13) == ["0", "*", "*", "10", "10", "15"]
    assert shown("mod-5", 3, 7, 8) == ["~", "5", "10"]
    assert shown("mod-10", 15, 25, 35) == ["20", "20", "40"]
    assert shown("ofqual", 26, 4, 0) == ["25", "fewer than 5", "0"]
    assert shown("us-drb", 14, 57, 130) == ["N<15", "60", "150"]


def test_the_whole_ladder_of_the_review_board() -> None:
    counts = (0, 15, 99, 999, 1_049, 9_950, 10_250, 99_999, 100_499, 1_234_567, 98_765_432)
    assert shown("us-drb", *counts) == [
        "N<15",
        "20",
        "100",
        "1000",
        "1000",
        "10000",
        "10000",
        "100000",
        "100000",
        "1235000",
        "98770000",
    ]


def test_others_as_their_sources_say() -> None:
    assert shown("hesa", 0, 2, 3, 7, 8) == ["0", "0", "5", "5", "10"]
    assert shown("ons-10-5", 7, 10, 11, 14) == ["c", "10", "10", "15"]
    assert shown("opensafely", 0, 7, 8, 13) == ["0", "0", "10", "15"]


def test_every_profile_that_was_asked_for_ships() -> None:
    assert profile_names() == ASKED
    assert [line.split()[0] for line in list_lines()] == list(ASKED)


@pytest.mark.parametrize("name", ASKED)
class TestEveryProfile:
    def test_it_promises_what_its_own_rules_keep_no_more_and_no_less(self, name: str) -> None:
        profile = find_profile(name)
        assert profile.promise == strongest_promise(profile.settings, profile.bands)

    def test_its_lock_stands_in_the_list_of_locks(self, name: str) -> None:
        """Where this fails a profile was changed: give it the next version, and the list a new line."""
        profile = read_profile(data_path("profiles") / f"{name}.toml")
        assert shipped_locks()[f"{name}@{profile.version}"] == lock_of(profile)

    def test_it_names_its_sources_and_where_each_setting_is_from(self, name: str) -> None:
        profile = find_profile(name)
        assert profile.sources
        assert all(source.title and source.publisher and source.date for source in profile.sources)
        assert {fact.source for fact in profile.facts} == set(range(1, len(profile.sources) + 1))
        assert {setting for setting, _ in profile.origins} >= {"method", "base", "min_count", "zeros"}

    def test_what_nobody_checked_is_never_told_as_a_fact(self, name: str) -> None:
        profile = find_profile(name)
        lines = "\n".join(explanation_lines(profile))
        flat = " ".join(lines.split())
        facts = flat.partition("The sources say:")[2].partition("Said of the sources, but not checked")[0]
        for fact in profile.facts:
            assert fact.text in flat
            assert fact.checked == (fact.text in facts)
        for setting, origin in profile.origins:
            if origin == "unchecked":
                assert f"{setting} = {getattr(profile.settings, setting)} (not checked against the source)" in flat

    def test_it_is_explained_with_its_promise_and_lock(self, name: str) -> None:
        profile = find_profile(name)
        flat = " ".join(" ".join(explanation_lines(profile)).split())
        assert f"Can promise: {profile.promise}. That is: {PROMISE_SENTENCES[profile.promise]}." in flat
        assert f"{name}@{profile.version} {lock_of(profile)}" in flat
        for caveat in profile.caveats:
            assert caveat in flat

    def test_it_is_plain_data(self, name: str) -> None:
        told = json.loads(json.dumps(profile_as_dict(find_profile(name))))
        assert told["name"] == name
        assert told["lock"] == shipped_locks()[f"{name}@{told['version']}"]
        assert set(told["origins"]) == set(told["settings"])

    def test_its_rules_can_be_asked(self, name: str) -> None:
        profile = find_profile(name)
        table = true_table(tree([0, 0]), [[1, 0, 30], [0, 0, 9]])
        told = apply_rules(table, rules_of(profile.settings, sensitive=("benefit",)))
        assert f"below min_count, {profile.settings.min_count}" in told.reasons_of((0, 0, 0))[0]


@pytest.mark.parametrize("name", ["nhs-hes", "ons-10-5", "opensafely", "us-drb"])
def test_a_base_below_min_count_is_infeasible_for_the_full_promise(name: str) -> None:
    profile = find_profile(name)
    base, min_count = profile.settings.base, profile.settings.min_count
    with pytest.raises(Infeasible) as caught:
        settle(profile, promise="full")
    assert caught.value.demands == (f"base = {base}", f"min_count = {min_count}")
    assert f"profile {name}: base {base} is below min_count {min_count}" in str(caught.value)
    assert settle(profile) == profile.settings


@pytest.mark.parametrize(
    ("name", "counts", "interval"),
    [
        ("hesa", [2, 2, 2, 2], (2, 2)),
        ("ons-10-5", [9, 9], (9, 9)),
        ("nhs-hes", [1, 12], (1, 7)),
    ],
)
def test_what_promises_less_than_all_is_broken_by_the_attack(
    name: str, counts: list[int], interval: tuple[int, int]
) -> None:
    """Totals shown apart from their parts pin small ones, and a mark pins by itself."""
    profile = find_profile(name)
    table = true_table(tree([0] * len(counts)), counts)
    safe, known = shown_table(table, profile.bands, min_count=profile.settings.min_count)
    audit = audit_tables({"t": safe}, min_count=profile.settings.min_count, known={"t": known}, truth={"t": table})
    assert interval in {finding.interval for finding in audit.findings if finding.kind == "pinned"}


def test_nearest_5_shows_a_nought_that_proves_nothing_small() -> None:
    """HESA: a 0 is 0 to 2, narrower than promised but not provenly small; so intervals-only."""
    profile = find_profile("hesa")
    table = true_table(tree([0]), [2])
    safe, known = shown_table(table, profile.bands, min_count=5)
    audit = audit_tables({"t": safe}, min_count=5, known={"t": known}, truth={"t": table})
    assert {(finding.kind, finding.interval) for finding in audit.findings} == {("too narrow", (0, 2))}


class TestFinding:
    def test_a_version_may_be_pinned(self) -> None:
        assert find_profile("gss-5@1") == find_profile("gss-5")
        with pytest.raises(InputError, match="version '7' of profile gss-5 is not here"):
            find_profile("gss-5@7")

    def test_a_misspelt_name_is_told_the_nearest(self) -> None:
        with pytest.raises(InputError, match="did you mean nhs-hes"):
            find_profile("nhs-hse")

    def test_a_profile_that_is_not_what_its_lock_says_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        changed = replace(find_profile("gss-5"), title="Something else")
        monkeypatch.setattr("releases.rules.profiles.read_profile", lambda path: changed)
        with pytest.raises(InputError, match="is not what its lock says; install smallarea again"):
            find_profile("gss-5")

    def test_a_profile_of_ones_own_needs_no_lock(self, tmp_path: Path) -> None:
        file = tmp_path / "mine.toml"
        file.write_text(MINE, encoding="utf-8")
        profile = find_profile(str(file))
        assert (profile.name, profile.settings.min_count, profile.promise) == ("mine", 5, "full")

    def test_every_fault_of_a_file_is_told_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "wrong.toml"
        file.write_text(WRONG, encoding="utf-8")
        with pytest.raises(InputError) as caught:
            read_profile(file)
        keys = {fault.key for fault in caught.value.faults}
        assert keys == {"title", "promise", "settings.base.value", "settings.base.from", "settings.min_count", "colour"}
        assert {fault.file for fault in caught.value.faults} == {"wrong.toml"}

    def test_a_claim_that_the_rules_cannot_keep_is_a_fault(self, tmp_path: Path) -> None:
        file = tmp_path / "bold.toml"
        file.write_text(MINE.replace('"controlled-rounding"', '"conventional-rounding"'), encoding="utf-8")
        with pytest.raises(
            InputError, match=r"promise \(full\) must be one that the rules keep, at most intervals-only"
        ):
            read_profile(file)

    @pytest.mark.parametrize(
        ("content", "why"), [(b"version = ", "is no TOML"), (b"\xff", "is not UTF-8"), (None, "there is no such file")]
    )
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, content: bytes | None, why: str) -> None:
        file = tmp_path / "odd.toml"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(InputError, match=why):
            read_profile(file)


def test_the_page_tells_of_the_profiles_that_ship() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "profiles.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `([\w-]+)` \| ([^|]*) \| `([\w-]+)` \| (\d+) \|", page, re.M)
    shipped = [find_profile(name) for name in profile_names()]
    assert [(name, promise, int(count)) for name, _, promise, count in table] == [
        (profile.name, profile.promise, profile.settings.min_count) for profile in shipped
    ]
    assert all(whose in profile.body for (_, whose, _, _), profile in zip(table, shipped, strict=True))


def test_the_example_of_the_page_is_a_profile(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "profiles.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", page, re.M | re.S)
    (tmp_path / "mine.toml").write_text(example, encoding="utf-8")
    assert find_profile(str(tmp_path / "mine.toml")).settings.min_count == 10


def test_differences_of_two_profiles() -> None:
    lines = difference_lines(find_profile("gss-3"), find_profile("gss-5"))
    assert lines == (
        "gss-3@1 against gss-5@1",
        "  title: Tables of administrative data, low sensitivity | Tables of administrative data, the usual case",
        "  base: 3 (ours) | 5 (ours)",
        "  min_count: 3 (unchecked) | 5 (unchecked)",
    )
    same = find_profile("gss-3")
    assert difference_lines(same, same) == ("gss-3 and gss-3 say the same.",)
