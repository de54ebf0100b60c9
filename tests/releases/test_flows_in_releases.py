"""Flows in a release: counted beside the caseload, drawn by themselves, attacked with it and with the caseload before."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomlkit
from derived_place import RATE, RESIDENTS, with_parts, write_residents
from small_place import (
    AREAS,
    POSTCODES,
    buckets,
    change,
    claim,
    command,
    copied,
    files,
    make_place,
    rows_of,
    write_claims,
)

import releases.publish.drawing as drawing
import releases.publish.flowattack as flowattack
from releases.outcome import Refused
from releases.publish.flowtables import counted_as
from releases.publish.pipeline import publish
from releases.publish.protection import Protected, protect_tables
from releases.publish.releasefile import read_release
from sdc.findings import Audit
from sdc.tables import Table

FIRST, MAY, AUGUST = dt.date(2026, 2, 28), dt.date(2026, 5, 31), dt.date(2026, 8, 31)
LAST = dt.date(2099, 1, 1)
CASELOAD = {"id": "live", "title": "Claims by benefit", "by": ["benefit"]}
ON = {"id": "on", "title": "Claims that started", "by": ["benefit"], "measure": "on-flow", "finest": "lad"}
OFF = {"id": "off", "title": "Claims that ended", "by": ["benefit"], "measure": "off-flow", "finest": "lad"}
TABLES = [CASELOAD, ON, OFF]
# Tables of two authorities alone, by nothing: each figure can be planted.
TOTALS = [{**one, "by": [], "finest": "lad"} for one in TABLES]

Claims = list[tuple[str, str, dt.date, dt.date]]


def made_claims() -> Claims:
    """Area, benefit, first day and last day (inclusive) of claims that come and go over a year and a half."""
    out = []
    for number in range(720):
        start = dt.date(2025, 6, 1) + dt.timedelta(days=number * 7 % 460)
        last = start + dt.timedelta(days=40 + number * 13 % 400) if number % 3 else LAST
        out.append((AREAS[number * 5 % 24], ("UC", "JSA", "ESA")[number % 5 % 3], start, last))
    return out


def write(release: Path, claims: Claims) -> Path:
    rows = []
    for number, (area, benefit, start, last) in enumerate(claims):
        end = "" if last == LAST else last.isoformat()
        place = {"postcode": POSTCODES[area][0], "benefit": benefit}
        rows.append(claim(number, claim_start=start.isoformat(), claim_end=end, **place))
    return write_claims(release, rows)


def first_release(folder: Path, tables: list[dict[str, Any]], claims: Claims) -> Path:
    release = change(make_place(folder, size=50), table=tables, claims__end="inclusive")
    change(release, flows={"from": tomlkit.date(FIRST.isoformat())})
    write(release, claims)
    return release


def next_release(release: Path, before: Path, **more: object) -> Path:
    """The release file of the quarter after, which leaves the window to the release before."""
    return change(
        release,
        release__reference_date=tomlkit.date("2026-08-31"),
        release__extract_date=tomlkit.date("2026-10-15"),
        release__publication=dt.datetime(2026, 11, 24, 9, 30),
        release__next_publication=tomlkit.date("2027-02-23"),
        series__first=None,
        series__previous=str(before),
        flows=None,
        **more,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two quarters of one series, from one extract: `may`, and `august` which is counted from the end of May."""
    folder = tmp_path_factory.mktemp("flows")
    release = first_release(folder, TABLES, made_claims())
    publish(release, folder / "may")
    august = next_release(copied(release, folder / "next"), folder / "may")
    publish(august, folder / "august")
    return folder


# --- Counts, from the dates alone -------------------------------------------------------------------


def authority(area: str) -> str:
    return f"E089{area[4]}0000"


def counted(claims: Claims, wanted: Callable[[dt.date, dt.date], bool]) -> Counter[tuple[str, str]]:
    return Counter((authority(area), benefit) for area, benefit, start, last in claims if wanted(start, last))


def live_on(day: dt.date) -> Callable[[dt.date, dt.date], bool]:
    return lambda start, last: start <= day <= last


def started(since: dt.date, last_day: dt.date) -> Callable[[dt.date, dt.date], bool]:
    return lambda start, last: since < start <= last_day


def ended(since: dt.date, last_day: dt.date) -> Callable[[dt.date, dt.date], bool]:
    """First day without in the window, of claims that were live on the day before it or began in it."""
    return lambda start, last: start <= last_day and since < last + dt.timedelta(days=1) <= last_day


def figures(path: Path, column: str) -> dict[tuple[str, str], int]:
    """What a file says of authorities by benefit, totals left out."""
    rows = [row for row in rows_of(path) if row["area_level"] == "lad" and row["benefit"] != "Total"]
    return {(row["area"], row["benefit"]): int(row[column]) for row in rows}


def true_counts(review: Path, table: str) -> dict[tuple[str, str], int]:
    return {key: n for key, n in figures(review / f"true-beside-published-{table}.csv", "true").items() if n}


@pytest.mark.parametrize(("release", "since", "day"), [("may", FIRST, MAY), ("august", MAY, AUGUST)])
def test_true_counts_are_those_of_the_dates(made: Path, release: str, since: dt.date, day: dt.date) -> None:
    review, claims = made / f"{release}-review", made_claims()
    assert true_counts(review, "on") == counted(claims, started(since, day))
    assert true_counts(review, "off") == counted(claims, ended(since, day))
    assert true_counts(review, "live") == counted(claims, live_on(day))


def test_published_flows_are_their_true_counts_rounded(made: Path) -> None:
    for table in ("on", "off"):
        rows = rows_of(made / "may-review" / f"true-beside-published-{table}.csv")
        assert all(int(row["published"]) % 5 == 0 and abs(int(row["difference"])) < 5 for row in rows)
        assert {row["area_level"] for row in rows} == {"lad"}
        shown = [(row["area"], row["value"]) for row in rows_of(made / "may" / "tables" / f"{table}.csv")]
        assert shown == [(row["area"], row["published"]) for row in rows]


def test_identity_in_truth(made: Path) -> None:
    """after = before + on - off, of two releases from one extract."""
    before, after = (Counter(true_counts(made / f"{name}-review", "live")) for name in ("may", "august"))
    on, off = (Counter(true_counts(made / "august-review", table)) for table in ("on", "off"))
    before.update(on)
    before.subtract(off)
    assert +before == +after


# --- What is told of them ---------------------------------------------------------------------------


def test_manifest_tells_measure_and_window_of_flows_alone(made: Path) -> None:
    told = {one["id"]: one for one in json.loads((made / "august" / "manifest.json").read_text())["tables"]}
    assert (told["on"]["unit"], told["on"]["measure"], told["on"]["flow_from"]) == ("claims", "on-flow", "2026-05-31")
    assert told["off"]["measure"] == "off-flow"
    assert "measure" not in told["live"] and "flow_from" not in told["live"]


def test_words_and_dates_on_pages_and_in_metadata(made: Path) -> None:
    tables = made / "may" / "tables"
    page = (tables / "on.html").read_text()
    assert "claims that started after 28 February 2026 and by 31 May 2026" in page
    assert "1 March 2026 to 31 May 2026" in page
    assert "Figures are for 31 May 2026" not in page
    assert "Claims that started by benefit" in (made / "may" / "tables.html").read_text()
    document = json.loads((tables / "off.csv-metadata.json").read_text())
    assert document["dc:temporal"] == "2026-03-01/2026-05-31"
    assert document["notes"][0]["smallarea"]["measure"] == "off-flow since 2026-02-28"
    assert "Number of claims that ended." in json.dumps(document)
    assert "measure" not in json.loads((tables / "live.csv-metadata.json").read_text())["notes"][0]["smallarea"]
    assert "Claims that started in Town 1" in (made / "may" / "index.html").read_text()


def test_review_pack_has_true_counts_and_buckets_of_each_measure(made: Path) -> None:
    review = made / "may-review"
    read = sum(buckets(review).values())
    for flow in ("on-flow", "off-flow"):
        rows = {row["bucket"]: int(row["rows"]) for row in rows_of(review / f"buckets-{flow}.csv")}
        assert sum(rows.values()) == read == len(made_claims())
        assert rows["not in this flow"] > 0
    page = (review / "review.html").read_text()
    assert "Counting the on-flow: every input row is in one bucket" in page
    assert "The buckets add up to that." in page


def test_the_same_bytes_again(made: Path, tmp_path: Path) -> None:
    release = made / "source" / "RELEASE.toml"
    publish(release, tmp_path / "may")
    assert files(tmp_path / "may") == files(made / "may")


def test_rates_of_flows(tmp_path: Path) -> None:
    release = first_release(tmp_path, TOTALS, made_claims())
    write_residents(release.parent, levels=("lad",))
    with_parts(release, denominator=[{**RESIDENTS, "level": ["lad"]}], rate=[{**RATE, "of": "on"}])
    publish(release, tmp_path / "out")
    assert "1 March 2026 to 31 May 2026" in (tmp_path / "out" / "tables" / "claim-rate.html").read_text()
    assert command("check", tmp_path / "out").code == 0


# --- Kept values ------------------------------------------------------------------------------------


def test_figures_of_two_windows_are_two_figures(made: Path) -> None:
    may = counted_as(read_release(made / "source" / "RELEASE.toml"))
    assert may["live"] == "claims"
    assert may["on"] == "claims, on-flow after 2026-02-28 to 2026-05-31"
    assert len(set(may.values())) == 3
    standings = {row["table"] for row in rows_of(made / "august-review" / "standings.csv")}
    assert standings == {"live"}


def test_a_revision_keeps_the_values_of_its_flows(made: Path, tmp_path: Path) -> None:
    release = copied(made / "source" / "RELEASE.toml", tmp_path / "again")
    change(release, series__first=None, series__previous=str(made / "may"), release__status="revised", flows=None)
    publish(release, tmp_path / "revised")
    tables = json.loads((tmp_path / "revised" / "manifest.json").read_text())["tables"]
    assert {one["flow_from"] for one in tables if "measure" in one} == {"2026-02-28"}
    for table in ("live", "on", "off"):
        name = f"tables/{table}.csv"
        assert (tmp_path / "revised" / name).read_bytes() == (made / "may" / name).read_bytes()


# --- The check --------------------------------------------------------------------------------------


def kinds_of(release: Path) -> set[str]:
    ran = command("check", release, "--json")
    assert ran.code == 1
    return {finding["kind"] for finding in ran.plain["findings"]}  # type: ignore[attr-defined,index]


def test_check_passes(made: Path) -> None:
    for name in ("may", "august"):
        ran = command("check", made / name, "--review-dir", made / f"{name}-review")
        assert ran.code == 0
        assert "flows against the caseload" in ran.out


def test_check_catches_flows_that_no_claims_can_have(made: Path, tmp_path: Path) -> None:
    folder = copied(made / "may" / "manifest.json", tmp_path / "spoiled").parent
    table = folder / "tables" / "on.csv"
    *rows, last = table.read_text().splitlines()
    table.write_text("\n".join([*rows, ",".join([*last.split(",")[:-2], "9000", ""])]) + "\n")
    assert {"flows", "additivity"} <= kinds_of(folder)


def test_check_catches_another_window(made: Path, tmp_path: Path) -> None:
    folder = copied(made / "may" / "manifest.json", tmp_path / "spoiled").parent
    plain = json.loads((folder / "manifest.json").read_text())
    next(one for one in plain["tables"] if one["id"] == "on")["flow_from"] = "2026-06-30"
    (folder / "manifest.json").write_text(json.dumps(plain, indent=1))
    assert {"manifest", "metadata"} <= kinds_of(folder)


def test_check_catches_a_true_flow_that_is_too_large(made: Path, tmp_path: Path) -> None:
    folder = copied(made / "may-review" / "summary.json", tmp_path / "spoiled").parent
    for name in ("live", "off"):
        path = folder / f"true-beside-published-{name}.csv"
        path.write_text("\n".join(_without_true(line) for line in path.read_text().splitlines()) + "\n")
    ran = command("check", made / "may", "--review-dir", folder, "--json")
    assert ran.code == 1
    assert "flows" in {finding["kind"] for finding in ran.plain["findings"]}  # type: ignore[attr-defined,index]


def _without_true(line: str) -> str:
    """A row of the review pack with a true count of 0."""
    *head, true, published, marker, _ = line.split(",")
    return line if true == "true" else ",".join([*head, "0", published, marker, published])


# --- The attack -------------------------------------------------------------------------------------

Planted = Mapping[str, tuple[int, int]]


def plant(monkeypatch: pytest.MonkeyPatch, values: Planted) -> None:
    """Show these values of the two authorities, by table, whatever would be drawn."""

    def planted(spec: object, tables: Mapping[str, Table], **more: Any) -> Protected:
        protected = protect_tables(spec, tables, **more)  # type: ignore[arg-type]
        safe = {}
        for name, one in protected.safe.items():
            top = np.array(values[name], np.int64)[:, None]
            safe[name] = replace(one, values=(*one.values[:-1], top))
        return replace(protected, safe=safe)

    monkeypatch.setattr(drawing, "protect_tables", planted)


def claims_of(stayed: int, left: int, came: int, *, since: dt.date = MAY) -> Claims:
    """So many claims of the first authority, and 200 of the second that stay: before, gone and new in the window."""
    old, inside = dt.date(2025, 1, 1), since + dt.timedelta(days=10)
    mine, theirs = AREAS[0], AREAS[-1]
    return [
        *[(mine, "UC", old, LAST)] * stayed,
        *[(mine, "UC", old, inside)] * left,
        *[(mine, "UC", inside, LAST)] * came,
        *[(theirs, "UC", old, LAST)] * 200,
    ]


def published(release: Path, out: Path, monkeypatch: pytest.MonkeyPatch, values: Planted) -> Audit:
    with monkeypatch.context() as patch:
        plant(patch, values)
        return publish(release, out).audit


def two_quarters(
    folder: Path, monkeypatch: pytest.MonkeyPatch, claims: Claims, before: Planted, after: Planted, **more: object
) -> Audit:
    """Publish May with planted values, then August."""
    release = first_release(folder, TOTALS, claims)
    published(release, folder / "may", monkeypatch, before)
    august = next_release(copied(release, folder / "next"), folder / "may", series__keep_values=False, **more)
    return published(august, folder / "august", monkeypatch, after)


BEFORE = {"live": (100, 200), "on": (0, 0), "off": (0, 0)}
# 104 before, 3 came, none left, 107 after: 110 less 100 shows that 2 came, at least.
PINNED = {"live": (110, 200), "on": (0, 0), "off": (0, 0)}
SAFE = {"live": (105, 200), "on": (5, 0), "off": (0, 0)}


@pytest.mark.parametrize("jointly", [50_000, 7])
def test_flows_and_two_caseloads_that_pin_a_count_are_refused(
    jointly: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one system, and, where tables are too large for that, at the levels that flows are told for."""
    monkeypatch.setattr(flowattack, "MOST_JOINTLY", jointly + 1)
    with pytest.raises(Refused) as caught:
        two_quarters(tmp_path, monkeypatch, claims_of(104, 0, 3), BEFORE, PINNED)
    audit = caught.value.outcome.audit
    assert audit is not None
    found = [one for one in audit.findings if one.severity == "disclosure"]
    assert any((one.table, one.interval) == ("on", (2, 4)) or "on" in one.cell for one in found)
    assert not (tmp_path / "august").exists()


def test_flows_and_two_caseloads_that_pin_nothing_are_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = two_quarters(tmp_path, monkeypatch, claims_of(104, 0, 3), BEFORE, SAFE)
    assert audit.safe
    assert any("live of benefits-small-areas-2026-05-31" in text for text in audit.checked)
    assert not any(text.startswith("flows with the caseload") for text in audit.not_checked if "release before" in text)


def test_another_extract_is_told_and_not_attacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One claim of the caseload before was told late: nobody knows the relation exactly."""
    release = first_release(tmp_path, TOTALS, claims_of(104, 0, 3))
    published(release, tmp_path / "may", monkeypatch, BEFORE)
    august = next_release(copied(release, tmp_path / "next"), tmp_path / "may")
    write(august, [*claims_of(104, 0, 3), (AREAS[0], "UC", dt.date(2026, 5, 1), LAST)])
    audit = published(august, tmp_path / "august", monkeypatch, PINNED)
    assert audit.safe
    assert any("are not exactly those of this release" in text for text in audit.not_checked)


def test_more_joined_than_can_be_there_is_refused_in_a_first_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """6 came, 3 of them left again: shown 10, 0 live and 0 gone, so 6 or more came, and 2 at least are there and gone."""
    came = [(AREAS[0], "UC", dt.date(2026, 3, 10), end) for end in (LAST, dt.date(2026, 4, 1)) for _ in range(3)]
    release = first_release(tmp_path, TOTALS, [*came, *claims_of(0, 0, 0)])
    with pytest.raises(Refused) as caught:
        published(release, tmp_path / "may", monkeypatch, {"live": (0, 200), "on": (10, 0), "off": (0, 0)})
    assert caught.value.outcome.audit is not None
    assert {"pinned", "too narrow", "not covered"} & {one.kind for one in caught.value.outcome.audit.findings}
    assert published(release, tmp_path / "may", monkeypatch, {"live": (0, 200), "on": (5, 0), "off": (0, 0)}).safe


# --- What is refused --------------------------------------------------------------------------------


def refused(release: Path) -> str:
    ran = command("publish", release, "--out", release.parent / "out")
    assert ran.code == 2, ran.err
    assert not (release.parent / "out").exists()
    return ran.err


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_place(tmp_path_factory.mktemp("bare"), size=50)


def test_every_fault_is_told_at_once(bare: Path, tmp_path: Path) -> None:
    release = copied(bare, tmp_path / "copy")
    (release.parent / "others.csv").write_text("area,value\nE08910000,100\n")
    flow = {"title": "F", "measure": "on-flow"}
    change(
        release,
        table=[
            CASELOAD,
            {**flow, "id": "long", "by": ["duration_band"]},
            {**flow, "id": "group", "by": ["client_group"], "count": "people", "measure": "off-flow"},
        ],
        already_public=[{"path": "others.csv", "population": "claims"}],
        claims__non_claimants=True,
    )
    err = refused(release)
    assert "a first release has none before it to count flows from" in err
    assert "table 'long' counts on-flows by duration_band: a claim that starts has lasted no time yet" in err
    assert "table 'group' counts off-flows by client_group: it may change while a claim goes on" in err
    assert "nobody says what others.csv counts" in err
    assert "people who claim nothing are counted in the caseload" in err
    assert "tables of both claims and people" in err


@pytest.mark.parametrize(
    ("tables", "since", "told"),
    [
        ([CASELOAD], "2026-02-28", "gives a window, and no table is of a flow"),
        ([ON, OFF], "2026-02-28", "none of the caseload that it changes"),
        (TABLES, "2026-05-31", "which is not before the reference date 2026-05-31"),
        ([*TABLES, {**ON, "id": "twice"}], "2026-02-28", "tables 'on' and 'twice' are the same table twice"),
    ],
)
def test_what_cannot_be_is_refused(
    bare: Path, tmp_path: Path, tables: list[dict[str, Any]], since: str, told: str
) -> None:
    release = copied(bare, tmp_path / "copy")
    change(release, table=tables, flows={"from": tomlkit.date(since)})
    assert told in refused(release)


def test_one_dimension_in_tables_of_two_measures_is_no_relation(bare: Path, tmp_path: Path) -> None:
    """Off-flows by how long claims lasted, and a caseload by the same bands, are other figures."""
    release = copied(bare, tmp_path / "copy")
    lasted = {"id": "lasted", "title": "How long", "by": ["duration_band"], "measure": "off-flow", "finest": "lad"}
    live = {"id": "live", "title": "Claims by duration", "by": ["duration_band"], "finest": "lad"}
    change(release, table=[live, lasted], flows={"from": tomlkit.date("2026-02-28")})
    publish(release, tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [one.get("measure") for one in manifest["tables"]] == [None, "off-flow"]
