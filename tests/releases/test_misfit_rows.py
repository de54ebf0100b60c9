"""Rows that did not fit: too many faulty ones stop a release, the others are listed for its reviewers alone."""

import stat
from pathlib import Path

import fuzzing
import pytest
from conftest import Published
from small_place import change, claim, command, files, one_table, read_claims, rows_of, write_claims

from claimants.faultyrows import Misfit
from claimants.states import State
from releases.publish.misfitrows import MOST_PLACES, misfit_notices, misfit_rows
from releases.publish.pipeline import publish

LISTED = "rows-that-did-not-fit.csv"


def refused(release: Path) -> list[str]:
    """Publish, which must end with exit code 2 and write nothing; the lines it says."""
    out = release.parent.parent.parent / "out"
    ran = command("publish", release, "--out", out)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert not out.exists()
    assert not Path(f"{out}-review").exists()
    return ran.err.splitlines()


def of(release: Path, *rows: dict[str, str]) -> Path:
    """The release with an extract of these rows, one table of it."""
    write_claims(release, rows)
    return one_table(release)


class TestTooMany:
    def test_dates_in_another_form_stop_the_release(self, release: Path) -> None:
        rows = [row | {"claim_start": "10/01/2026"} for row in read_claims(release)]
        share, starts = refused(of(release, *rows))
        assert "claims.most_faulty: " in share
        assert f"of {len(rows)} rows are faulty, more than the share of 0.5; " in share
        assert "claims.csv, row 2, column 'claim_start': the claim start is not a date in " in starts
        assert "first in rows 2, 3, " in starts
        assert starts.endswith("; write dates in the form that [claims] dates declares")

    def test_every_kind_and_file_is_told_at_once(self, release: Path) -> None:
        one = write_claims(
            release, [claim(1, claim_start="x"), claim(2, person_reference=""), claim(3, claim_start="y")]
        )
        one.with_name("more.csv").write_text(
            one.read_text(encoding="utf-8").replace("2026-01-05", "x"), encoding="utf-8"
        )
        _, *told = refused(one_table(release))
        assert [line.removeprefix(f"{one.parent}/").partition(": ")[0] for line in told] == [
            "claims.csv, row 3, column 'person_reference'",
            "more.csv, row 3, column 'person_reference'",
            "claims.csv, row 2, column 'claim_start'",
            "more.csv, row 2, column 'claim_start'",
        ]

    @pytest.mark.parametrize(("most", "ends"), [(0.19, 2), (0.2, 0), (1, 0), (0, 2)])
    def test_the_limit_is_the_share_that_is_allowed(
        self, release: Path, tmp_path: Path, most: float, ends: int
    ) -> None:
        of(release, *(claim(number) for number in range(8)), claim(8, claim_start=""), claim(9, claim_end="never"))
        change(release, claims__most_faulty=most)
        assert command("publish", release, "--out", tmp_path / "out").code == ends

    def test_rows_of_other_buckets_stop_nothing(self, release: Path, tmp_path: Path) -> None:
        of(release, claim(1), *(claim(number, benefit="?") for number in range(9)), claim(2, postcode=""))
        change(release, claims__most_faulty=0)
        assert command("publish", release, "--out", tmp_path / "out").code == 0

    @pytest.mark.parametrize("wrong", [-0.1, 1.5, "half"])
    def test_the_limit_is_a_share(self, release: Path, wrong: object) -> None:
        (line,) = refused(change(release, claims__most_faulty=wrong))
        assert "claims.most_faulty" in line


class TestListed:
    @pytest.fixture
    def made(self, release: Path, tmp_path: Path) -> Published:
        trouble = [
            claim(900, claim_start="Canary"),
            claim(901, sex="Canary"),
            claim(902, postcode="Canary"),
            claim(903),
        ]
        source = of(release, *read_claims(release), *trouble, claim(904, claim_end="2026-01-04"))
        out = tmp_path / "out"
        return Published(source=source, out=out, review=tmp_path / "out-review", told=publish(source, out))

    def test_where_they_stand_is_listed_in_the_review_pack_alone(self, made: Published) -> None:
        # Notes run over several lines, so there are more lines than rows.
        last = (made.source.parent / "claims" / "claims.csv").read_text(encoding="utf-8").count("\n")
        assert last > 1 + len(read_claims(made.source))
        rows = {int(row["row"]): row for row in rows_of(made.review / LISTED)}
        about = ("file", "column", "bucket", "found")
        assert [tuple(rows[last - back][name] for name in about) for back in (4, 3, 2, 0)] == [
            ("claims.csv", "claim_start", "faulty", "the claim start is not a date"),
            ("claims.csv", "sex", "unknown code", "the sex is not in the code list"),
            ("claims.csv", "postcode", "no area", "the postcode is not in the lookup"),
            ("claims.csv", "claim_start and claim_end", "faulty", "the claim ends before it starts"),
        ]
        assert last - 1 not in rows
        assert stat.S_IMODE((made.review / LISTED).stat().st_mode) == 0o600
        assert not [name for name in files(made.out) if "did-not-fit" in name]

    def test_the_page_links_it_and_names_the_first_rows(self, made: Published) -> None:
        page = (made.review / "review.html").read_text(encoding="utf-8")
        assert f'href="{LISTED}"' in page
        assert "faulty: the claim start is not a date: row" in page
        told = page + (made.review / LISTED).read_text(encoding="utf-8") + " ".join(made.told.notices)
        assert "Canary" not in told
        assert "P000000900" not in told

    def test_there_is_no_list_where_all_rows_fit(self, release: Path, tmp_path: Path) -> None:
        of(release, *(claim(number) for number in range(9)))
        publish(release, tmp_path / "out")
        assert not (tmp_path / "out-review" / LISTED).exists()


def test_what_is_not_listed_is_counted() -> None:
    file = "/data/north/claims.csv"
    misfit = Misfit(
        state=State.NO_START,
        words="the claim start is blank",
        columns=("StartDt",),
        mend="fill it in",
        rows=MOST_PLACES + 7,
        files={file: MOST_PLACES + 6, "/data/south/claims.csv": 1},
        places=(*((file, row) for row in range(2, MOST_PLACES + 2)), ("/data/south/claims.csv", 5)),
    )
    rows = misfit_rows([misfit])
    about = {"column": "StartDt", "bucket": "faulty", "found": "the claim start is blank"}
    assert rows[0] == {"file": "north/claims.csv", "row": 2, **about}
    assert rows[-2]["row"] is None
    assert rows[-2]["found"] == "the claim start is blank: 6 rows more"
    assert rows[-1] == {"file": "south/claims.csv", "row": 5, **about}
    assert len(rows) == MOST_PLACES + 2
    assert misfit_notices([misfit]) == (
        "faulty: the claim start is blank: rows 2, 3, 4, 5, 6 of north/claims.csv and 1,001 more",
        "faulty: the claim start is blank: row 5 of south/claims.csv",
    )


@pytest.mark.parametrize("seed", range(20))
def test_publish_ends_well_on_a_damaged_extract(release: Path, tmp_path: Path, seed: int) -> None:
    write_claims(release, []).unlink()
    case = fuzzing.make_case(seed, release.parent / "claims")
    one_table(change(release, **{f"claims__{name}": value for name, value in case.declared.items()}))
    out = tmp_path / "out"
    ran = command("publish", release, "--out", out)
    assert ran.code in (0, 2), ran.err
    assert out.exists() == (ran.code == 0)
    assert out.with_name("out-review").exists() == (ran.code == 0)
    assert "Traceback" not in ran.err
    assert fuzzing.told_canaries((ran.out + ran.err).replace(str(tmp_path), "")) == []
