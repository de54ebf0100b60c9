"""Faults: collected, told together, one unwrapped line each, and the exit code of each kind of error."""

import dataclasses

import pytest

from common.faults import Disclosure, Fault, Faults, Infeasible, InputError, SmallareaError, fault_lines


def fault(**parts):
    return Fault(**{"kind": "unknown code", "found": "no such benefit", "mend": "see the code list", **parts})


def test_a_line_says_where_what_and_how_to_mend_it():
    told = fault(file="claims.csv", row=7, column="benefit", key="claims.values").line()
    assert told == "claims.csv, row 7, column 'benefit', claims.values: no such benefit; see the code list"


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({}, ""),
        ({"file": "claims.csv"}, "claims.csv: "),
        ({"row": 1}, "row 1: "),
        ({"column": "sex"}, "column 'sex': "),
        ({"file": "RELEASE.toml", "key": "release.title"}, "RELEASE.toml, release.title: "),
    ],
)
def test_only_what_is_known_of_the_place_is_told(parts, where):
    assert fault(**parts).line() == f"{where}no such benefit; see the code list"


def test_row_0_is_told():
    assert fault(row=0).line().startswith("row 0: ")


def test_a_line_stays_one_line():
    assert fault(found="two\nlines\tand   spaces").line() == "two lines and spaces; see the code list"


def test_faults_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        fault().row = 3


def test_all_faults_are_told_at_once_in_order():
    faults = Faults(file="RELEASE.toml")
    faults.add("missing key", "no title", "give one", key="release.title")
    faults.add("missing file", "not there", "name one that is", file="claims.csv")
    faults.add("unknown key", "not known", "drop it", key="release.titel", row=3)
    with pytest.raises(InputError) as caught:
        faults.raise_if_any()
    assert [each.file for each in caught.value.faults] == ["RELEASE.toml", "claims.csv", "RELEASE.toml"]
    assert str(caught.value).splitlines() == [
        "RELEASE.toml, release.title: no title; give one",
        "claims.csv: not there; name one that is",
        "RELEASE.toml, row 3, release.titel: not known; drop it",
    ]


def test_no_fault_no_error():
    Faults().raise_if_any()


def test_a_collectors_file_can_be_left_out():
    faults = Faults(file="RELEASE.toml")
    faults.add("option", "not known", "drop it", file="")
    assert faults.found[0].file == ""


def test_faults_of_a_caught_error_are_taken_over():
    faults = Faults()
    faults.add("first", "a", "b")
    faults.extend(InputError([fault(row=1), fault(row=2)]))
    with pytest.raises(InputError) as caught:
        faults.raise_if_any()
    assert [each.row for each in caught.value.faults] == [None, 1, 2]


def test_an_error_takes_any_iterable_once():
    error = InputError(fault(row=row) for row in range(3))
    assert len(error.faults) == 3 and len(str(error).splitlines()) == 3


@pytest.mark.parametrize(("number", "lines", "last"), [(20, 20, None), (21, 21, 1), (50, 21, 30)])
def test_after_twenty_of_a_kind_the_rest_is_counted(number, lines, last):
    told = fault_lines([fault(file="claims.csv", row=row) for row in range(2, number + 2)])
    assert len(told) == lines
    assert told[19].startswith("claims.csv, row 21")
    if last is not None:
        assert told[-1] == f"claims.csv: and {last} more of the kind 'unknown code'"


def test_each_kind_and_each_file_has_its_twenty():
    many = [
        fault(kind=kind, file=file, row=row) for row in range(21) for kind in ("date", "code") for file in ("a", "b")
    ]
    told = fault_lines(many)
    assert len(told) == 4 * 20 + 4
    assert told[-4:] == [f"{file}: and 1 more of the kind '{kind}'" for kind in ("date", "code") for file in ("a", "b")]


def test_faults_without_a_file_are_counted_too():
    assert fault_lines([fault()] * 22)[-1] == "and 2 more of the kind 'unknown code'"


def test_every_kind_of_error_has_its_exit_code():
    assert (Disclosure("x").exit_code, InputError([]).exit_code, Infeasible("x").exit_code) == (1, 2, 3)
    assert all(issubclass(kind, SmallareaError) for kind in (Disclosure, InputError, Infeasible))


def test_errors_carry_what_was_found():
    assert Disclosure("x", [1, 2]).findings == (1, 2)
    assert Infeasible("no way", ["base = 3", "min_count = 5"]).demands == ("base = 3", "min_count = 5")
    assert str(Infeasible("no way")) == "no way"
