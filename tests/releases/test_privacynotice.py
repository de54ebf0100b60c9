"""The privacy notice: what this release reads, in which form, for how long; versioned, with changes."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from pagescene import make_scene

from claimants.dictionary import shipped_dictionary
from claimants.dimensions import dimension
from common.faults import InputError
from releases.publish.privacynotice import fields_read, privacy_notice, read_notice_words
from reports.privacynotice import PrivacyNotice
from reports.site import write_site

WORDS = read_notice_words()
DICTIONARY = shipped_dictionary()


def notice(*by: str, postcodes: bool = True, words: object = WORDS) -> PrivacyNotice:
    read = fields_read([[dimension(name) for name in by]], postcodes=postcodes)
    return privacy_notice(words, DICTIONARY, read)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("by", "postcodes", "there", "not_there"),
    [
        ((), True, {"Postcode", "Benefit"}, {"Sex", "Output area"}),
        ((), False, {"Output area"}, {"Postcode"}),
        (("sex",), True, {"Sex"}, {"Output area"}),
    ],
)
def test_it_names_what_this_release_reads(
    by: tuple[str, ...], postcodes: bool, there: set[str], not_there: set[str]
) -> None:
    found = notice(*by, postcodes=postcodes)
    labels = {field.label for field in found.fields}
    unread = {label for _, names in found.unread for label in names}
    assert there <= labels and not_there <= unread and not labels & unread


def test_forms_and_retention_come_from_the_dictionary() -> None:
    uses = {field.label: (field.uses, field.kept) for field in notice("age_band").fields}
    assert dict(uses["Date of birth"][0]) == {"counting": "age band", "erasure": "sign of erasure"}
    assert uses["Date of birth"][1] == DICTIONARY.retention["claim"]
    without = {field.label: dict(field.uses) for field in notice().fields}
    assert without["Date of birth"] == {"erasure": "sign of erasure"}


def test_free_text_and_sensitive_fields_that_are_not_read_are_told_as_such() -> None:
    unread = dict(notice().unread)
    assert unread["free text"] and "Ethnic group" in unread["sensitive"]


def test_only_the_bases_that_are_relied_on_are_told() -> None:
    assert [basis.article for basis in notice().basis] == ["UK GDPR, Article 6"]
    read = fields_read([[]], postcodes=True) | {"offending_marker": ("counting",)}
    told = [basis.article for basis in privacy_notice(WORDS, DICTIONARY, read).basis]
    assert told == ["UK GDPR, Article 6", "UK GDPR, Article 9", "UK GDPR, Article 10"]


def test_the_first_change_is_this_version() -> None:
    found = notice()
    assert found.example and found.changes[0].version == found.version
    with pytest.raises(InputError, match="version"):
        notice(words=WORDS.model_copy(update={"version": "2.0"}))
    changes = (*found.changes, dataclasses.replace(found.changes[0], date=found.date + dt.timedelta(days=1)))
    with pytest.raises(ValueError, match="latest first"):
        dataclasses.replace(found, changes=changes)


def test_words_that_are_wrong_are_told_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "notice.toml").write_text('version = "1"\nowner = "A person"\n')
    with pytest.raises(InputError) as error:
        read_notice_words(tmp_path / "notice.toml")
    keys = {fault.key for fault in error.value.faults}
    assert {"date", "title", "change", "basis", "sharing", "retention", "rights", "owner"} <= keys


def test_the_page_stands_in_the_site_and_says_everything(tmp_path: Path) -> None:
    scene = make_scene(areas=20)
    facts = dataclasses.replace(scene.facts, notice=notice("sex", "age_band"))
    write_site(tmp_path, facts, scene.tables)
    page = (tmp_path / "privacy.html").read_text(encoding="utf-8")
    headings = ["Who is responsible", "What records are used for", "What is read", "What is not read", "Lawful basis",
                "Who sees the records", "How long records are kept", "Your rights", "Whom to ask",
                "Changes of this notice"]  # fmt: skip
    places = [page.index(f">{heading}<") for heading in headings]
    assert places == sorted(places)
    for contact in facts.contacts:
        assert contact.email in page
    assert "Version 1.1 of 22 November 2026" in page and "age band" in page
    for place in ("index.html", "tables/benefit.html"):
        assert "privacy.html" in (tmp_path / place).read_text(encoding="utf-8")


def test_without_a_notice_there_is_no_page(tmp_path: Path) -> None:
    scene = make_scene(areas=20)
    write_site(tmp_path, scene.facts, scene.tables)
    assert not (tmp_path / "privacy.html").exists()
    assert "privacy.html" not in (tmp_path / "index.html").read_text(encoding="utf-8")
