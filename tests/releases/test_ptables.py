"""Ptables as files: both forms read and written, and every fault told with its place."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.faults import InputError
from releases.rules.ptables import read_ptable, write_ptable
from sdc.cellkey.design import PTableSpec, design_ptable
from sdc.cellkey.ptable import KeyTable, PTable, in_keys, noise_of

DESIGNED = design_ptable(PTableSpec(bound=2, variance=1.05, blocked=1, monotone=(True, True, False, True))).ptable
# As the ptable package's pt_export writes its own example for tau-ARGUS: padded columns, 8 digits.
PUBLISHED = """i;j;p;v;p_int_ub
0;0;1.00000000; 0;1.00000000
1;0;0.50833333;-1;0.50833333
1;2;0.47500000; 1;0.98333333
1;3;0.01666667; 2;1.00000000
2;0;0.16155827;-2;0.16155827
2;2;0.55565037; 0;0.71720864
2;3;0.24246618; 1;0.95967482
2;4;0.04032518; 2;1.00000000
3;2;0.41231301;-1;0.41231301
3;3;0.28806097; 0;0.70037398
3;4;0.18693903; 1;0.88731301
3;5;0.11268699; 2;1.00000000
4;2;0.07012498;-2;0.07012498
4;3;0.24450007;-1;0.31462505
4;4;0.37074990; 0;0.68537495
4;5;0.24450007; 1;0.92987502
4;6;0.07012498; 2;1.00000000
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ptable.csv"
    path.write_text(text, encoding="utf-8")
    return path


def ons_text(noise: np.ndarray, *, quoted: bool = False) -> str:
    """A file of the ONS form from noise of shape (751, M), row 0 left out."""
    head = '"pcv","ckey","pvalue"' if quoted else "pcv,ckey,pvalue"
    rows = [f"{pcv},{ckey},{value}" for pcv in range(1, 751) for ckey, value in enumerate(noise[pcv])]
    return "\n".join([head, *rows, ""])


def some_noise(keys: int = 4) -> np.ndarray:
    rng = np.random.default_rng(4)
    noise = np.maximum(rng.integers(-3, 4, (751, keys)), -np.arange(751)[:, None])
    noise[0] = 0
    return noise


def faults_of(path: Path, **given: int) -> list[str]:
    with pytest.raises(InputError) as told:
        read_ptable(path, **given)
    return [fault.line().removeprefix(f"{path}, ") for fault in told.value.faults]


# --- The form of the ptable package -----------------------------------------------------------------------


def test_published_ptable_is_read_and_is_the_designed_one(tmp_path: Path) -> None:
    """V4: the file of the package's unit test, and our design of the same demands."""
    read = read_ptable(written(tmp_path, PUBLISHED))
    assert isinstance(read, PTable)
    assert np.array_equal(read.rows, DESIGNED.rows) and np.array_equal(read.noise, DESIGNED.noise)
    assert read.probabilities == pytest.approx(DESIGNED.probabilities, abs=1e-6)
    assert read.last == 4 and read.bound == 2


@pytest.mark.parametrize("form", ["ptable", "tau-argus"])
@settings(max_examples=20, deadline=None)
@given(bound=st.integers(4, 10), extra=st.floats(0, 5))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, form: str, bound: int, extra: float
) -> None:
    path = tmp_path_factory.mktemp("round") / "ptable.csv"
    ptable = design_ptable(PTableSpec(bound=bound, blocked=4, variance=6 + extra)).ptable
    write_ptable(ptable, path, form=form)
    read = read_ptable(path)
    assert isinstance(read, PTable)
    assert np.array_equal(read.rows, ptable.rows) and np.array_equal(read.noise, ptable.noise)
    assert read.upper == pytest.approx(ptable.upper, abs=6e-9)
    again = path.with_name("again.csv")
    write_ptable(read, again, form=form)
    assert again.read_bytes() == path.read_bytes()


def test_forms_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "ptable.csv"
    write_ptable(DESIGNED, path)
    assert path.read_text().splitlines()[:3] == [
        "i;j;p;v;p_int_lb;p_int_ub",
        "0;0;1.00000000;0;0.00000000;1.00000000",
        "1;0;0.50833333;-1;0.00000000;0.50833333",
    ]
    write_ptable(DESIGNED, path, form="tau-argus")
    assert path.read_text().splitlines()[2] == "1;0;0.50833333;-1;0.50833333"
    write_ptable(DESIGNED, path, form="ons", key_range=4)
    assert path.read_text().splitlines()[:4] == ["pcv,ckey,pvalue", "1,0,-1", "1,1,-1", "1,2,1"]


def test_comma_no_row_of_zeros_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffi,j,p,v,p_int_lb,p_int_ub,type\n1,0,0.5,-1,0,0.5,all\n1,2,0.5,1,0.5,1,all\n"
    read = read_ptable(written(tmp_path, text))
    assert isinstance(read, PTable)
    assert read.rows.tolist() == [0, 1, 1] and read.noise.tolist() == [0, -1, 1]
    assert read.upper.tolist() == [1, 0.5, 1]


def test_split_and_shuffled_intervals_are_kept(tmp_path: Path) -> None:
    """As modify_cnt_ptable makes them: a noise may stand more than once in a row, in any order."""
    text = "i;j;p;v;p_int_ub\n0;0;1;0;1\n1;2;0.25;1;0.25\n1;0;0.5;-1;0.75\n1;2;0.25;1;1\n"
    read = read_ptable(written(tmp_path, text))
    assert noise_of(read, np.ones(4, np.int64), np.array([0.2, 0.25, 0.6, 0.9])).tolist() == [1, 1, -1, 1]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("1;2;0.47500000; 1", "1;2;0.37500000; 1", "row 5, column 'p': probabilities of the row do not add up to 1"),
        ("1;2;0.47500000; 1", "1;3;0.47500000; 1", "row 4, column 'j': j is not i + v"),
        ("1;2;0.47500000; 1", "1;2;-0.4750000; 1", "row 4, column 'p': a negative probability"),
        ("1;2;0.47500000; 1", "1;2;half; 1", "row 4, column 'p': 'half'"),
        ("1;2;0.47500000; 1", "1;2;0.47500000; 1.5", "row 4, column 'v': '1.5'"),
        ("0.98333333", "0.50833333", "row 4, column 'p_int_ub': p_int_ub is not the sum of p so far"),
        ("1;0;0.50833333;-1", "1;-1;0.50833333;-2", "row 3, column 'v': takes a count below 0"),
        ("0;0;1.00000000; 0", "0;2;1.00000000; 2", "row 2, column 'v': moves a zero"),
        ("1;2;0.47500000; 1;0.98333333", "1;2;0.47500000; 1", "row 4: 4 columns, the header has 5"),
        ("4;6;", "5;6;", "row 18, column 'j': j is not i + v"),
    ],
)
def test_faults_of_the_first_form(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in PUBLISHED
    assert any(line.startswith(told) for line in faults_of(written(tmp_path, PUBLISHED.replace(old, new, 1))))


def test_a_missing_row_and_rows_out_of_order(tmp_path: Path) -> None:
    lines = PUBLISHED.splitlines()
    without = "\n".join(line for line in lines if not line.startswith("2;"))
    assert any("no row for i 2" in line for line in faults_of(written(tmp_path, without)))
    turned = "\n".join([lines[0], *reversed(lines[1:])])
    assert any("not in the order of i" in line for line in faults_of(written(tmp_path, turned)))


def test_a_ptable_for_amounts_is_refused(tmp_path: Path) -> None:
    text = "i;j;p;v;p_int_ub;type\n0;0;1;0;1;even\n1;1;1;0;1;odd\n"
    told = faults_of(written(tmp_path, text))
    assert told[0].startswith("row 2, column 'type': type 'even': a ptable for amounts")
    assert len(told) == 2


# --- The form of the ONS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("quoted", [False, True])
def test_ons_form_is_read(tmp_path: Path, quoted: bool) -> None:
    noise = some_noise()
    read = read_ptable(written(tmp_path, ons_text(noise, quoted=quoted)), key_range=4)
    assert isinstance(read, KeyTable)
    assert np.array_equal(read.noise, noise) and read.reuse == 250 and read.key_range == 4


def test_ons_form_of_a_designed_ptable_shows_the_same(tmp_path: Path) -> None:
    path = tmp_path / "ptable.csv"
    write_ptable(DESIGNED, path, form="ons", key_range=256)
    read, own = read_ptable(path, key_range=256), in_keys(DESIGNED, 256)
    rng = np.random.default_rng(1)
    counts, keys = rng.integers(0, 5000, 4000), rng.integers(0, 256, 4000)
    assert np.array_equal(noise_of(read, counts, keys), noise_of(own, counts, keys))
    again = tmp_path / "again.csv"
    write_ptable(read, again, form="ons")
    assert again.read_bytes() == path.read_bytes()


def test_keys_that_do_not_fit(tmp_path: Path) -> None:
    told = faults_of(written(tmp_path, ons_text(some_noise(200))), key_range=256)
    assert told == ["column 'ckey': stops at ckey 199, record keys run to 255; regenerate the ptable or the keys"]


def test_faults_of_the_ons_form(tmp_path: Path) -> None:
    lines = ons_text(some_noise()).splitlines()
    short = [line for line in lines if not line.startswith(("749,", "750,"))]
    assert any("pcv stops at 748" in line for line in faults_of(written(tmp_path, "\n".join(short))))
    hole = [line for line in lines if not line.startswith("300,")]
    assert any("no row for pcv 300" in line for line in faults_of(written(tmp_path, "\n".join(hole))))
    gap = [line for line in lines if not line.startswith("300,2,")]
    assert any("pcv 300 has no row for ckey 2" in line for line in faults_of(written(tmp_path, "\n".join(gap))))
    twice = [*lines, lines[10]]
    told = faults_of(written(tmp_path, "\n".join(twice)))
    assert told == [f"row {len(twice)}, column 'ckey': the same pcv and ckey once more; give every pair one row"]
    below = [*lines[:1], "1,0,-2", *lines[2:]]
    assert any(
        line.startswith("row 2, column 'pvalue': takes a count below 0")
        for line in faults_of(written(tmp_path, "\n".join(below)))
    )
    text = [*lines[:5], lines[5] + "x", *lines[6:]]
    assert any(line.startswith("row 6, column 'pvalue'") for line in faults_of(written(tmp_path, "\n".join(text))))


# --- Neither --------------------------------------------------------------------------------------------------


def test_files_that_are_no_ptable(tmp_path: Path) -> None:
    assert any("do not exist" in line or "does not exist" in line for line in faults_of(tmp_path / "none.csv"))
    assert any("neither those of the ptable package" in line for line in faults_of(written(tmp_path, "a,b\n1,2\n")))
    assert any("no rows" in line for line in faults_of(written(tmp_path, "pcv,ckey,pvalue\n")))
    (tmp_path / "ptable.csv").write_bytes(b"i;p;v\n0;1;0\n1;1;\xff\n")
    assert any("UTF-8" in line for line in faults_of(tmp_path / "ptable.csv"))


def test_forms_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="form"):
        write_ptable(DESIGNED, tmp_path / "x.csv", form="sas")
    with pytest.raises(ValueError, match="must be ons"):
        write_ptable(in_keys(DESIGNED, 16), tmp_path / "x.csv")
