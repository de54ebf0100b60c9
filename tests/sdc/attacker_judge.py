"""One judge for small releases of every kind (`attacker_cases`): the attack equals enumeration.

The judge tries every world that fits all that is published (`enumeration`), and asks:

* is every interval of the joint system the true one, end for end;
* is every figure told that is proven to be small, or whose interval is too narrow, and nothing else;
* do the networks' way and the joint way, and the choice between them, say the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from attacker_cases import MIN_COUNT, Case
from enumeration import every_world

from sdc.attack.joint import Joint, join_pieces
from sdc.attack.jointly import JointNames
from sdc.attack.judge import audit_tables
from sdc.attack.pieces import Piece
from sdc.attack.programmes import feasible_intervals
from sdc.attack.trimming import trimmed
from sdc.attack.witness import Names
from sdc.differencing.differences import add_differences
from sdc.findings import Audit
from sdc.tables import NOT_PUBLISHED, SUPPRESSED

# What the promise says of single figures; other findings are judged by tests of their own.
OF_CELLS = ("pinned", "too narrow", "not covered", "insider")


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """Figures of a joint system as sums of finest cells, and what enumeration says of each.

    Attributes
    ----------
    names : as findings call them.
    lo, hi : true ends of each.
    truth : -1 where the attack is not told of it.
    hidden : suppressed wherever it is published.
    """

    names: Sequence[str]
    lo: np.ndarray
    hi: np.ndarray
    truth: np.ndarray
    hidden: np.ndarray

    def breaches(self, width: int) -> dict[tuple[str, str], tuple[int, int]]:
        """What breaks the promise: kind and name, with the interval."""
        found = {}
        for name, lo, hi, truth, hidden in zip(self.names, self.lo, self.hi, self.truth, self.hidden, strict=True):
            kind = breach(int(lo), int(hi), width, truth=int(truth), hidden=bool(hidden))
            if kind:
                found[kind, name] = (int(lo), int(hi))
        return found


def breach(lo: int, hi: int, width: int, *, truth: int = -1, hidden: bool = False) -> str:
    """How a figure of this interval breaks the promise; '' where it keeps it, or is not small."""
    if (truth >= 0 and not 1 <= truth < MIN_COUNT) or hi < 1 or lo >= MIN_COUNT:
        return ""
    if lo >= 1 and hi < MIN_COUNT:
        return "pinned"
    if hi - lo < width:
        return "too narrow"
    if hidden and truth >= 0 and (lo > 0 or hi < MIN_COUNT):
        return "not covered"
    # Somebody who is counted there takes themselves away.
    least, most = max(lo, 1) - 1, hi - 1
    if most - least < width - 1 or (least >= 1 and most < MIN_COUNT):
        return "insider"
    return ""


def worlds_of(case: Case) -> np.ndarray | None:
    """Every world that fits all that the case publishes; None where there are too many."""
    lo, hi = (np.concatenate([getattr(piece, end).ravel() for piece in case.pieces]) for end in ("lo", "hi"))
    worlds = every_world(np.concatenate(case.sums), lo, hi)
    assert worlds is None or (worlds == case.world).all(axis=1).any(), "the true world fits"
    return worlds


def sums_of_joint(joint: Joint, case: Case, pieces: Sequence[Piece]) -> np.ndarray:
    """Each cell of the joint system as a sum of finest cells of the world."""
    sums = np.zeros((len(joint.system), len(case.world)), np.int64)
    known = np.zeros(len(sums), np.bool_)
    for piece, place, own in zip(pieces, joint.places, case.sums, strict=True):
        assert piece.lo.size == len(own), "no level is cut away"
        held = place.ravel() >= 0
        cells = place.ravel()[held]
        assert not known[cells].any() or (sums[cells[known[cells]]] == own[held][known[cells]]).all()
        sums[cells], known[cells] = own[held], True
    for cell in np.flatnonzero(~known).tolist():
        name = joint.system.name(cell)
        if name in case.untold:
            sums[cell], known[cell] = case.untold[name], True
    equations = joint.system.equations
    while not known.all():
        before = known.sum()
        for row in range(len(equations)):
            cells, signs = equations.entries(row)
            open_ = ~known[cells]
            if open_.sum() == 1:
                rest = (sums[cells[~open_]] * signs[~open_, None]).sum(axis=0)
                sums[cells[open_]], known[cells[open_]] = -rest * int(signs[open_][0]), True
        assert known.sum() > before, [joint.system.name(cell) for cell in np.flatnonzero(~known)]
    assert not (equations.signs[:, None] * sums[equations.cells] != 0).any() or all(
        not (sums[equations.entries(row)[0]] * equations.entries(row)[1][:, None]).sum(axis=0).any()
        for row in range(len(equations))
    ), "sums of the joint system hold in every world"
    return sums


def judge_jointly(case: Case, worlds: np.ndarray) -> None:
    """All tables as one system: every interval, and every finding, is the true one."""
    pieces, overlaps = trimmed(case.pieces, case.overlaps)
    joint = join_pieces(pieces, overlaps=overlaps, within=case.within, flows=case.flows)
    joint, _ = add_differences(joint, pieces, min_count=MIN_COUNT, width=case.width)
    values = worlds @ sums_of_joint(joint, case, pieces).T
    lo, hi = values.min(axis=0), values.max(axis=0)
    found = feasible_intervals(
        joint.system.equations, joint.lo, joint.hi, asked=np.arange(len(joint.system)), start=joint.start
    )
    names = JointNames(joint, pieces)
    if case.loose:
        assert np.all(found.lo <= lo) and np.all(found.hi >= hi)
        lo, hi = found.lo, found.hi
    assert found.exact.all(), "an end was not found"
    for cell in range(len(joint.system)):
        ends = (int(found.lo[cell]), int(found.hi[cell]))
        assert ends == (lo[cell], hi[cell]), f"{names[cell]}: {ends}, truly {lo[cell]} to {hi[cell]}"
    judged = np.flatnonzero(~joint.left)
    figures = Figures(
        names=[names[cell] for cell in judged],
        lo=lo[judged],
        hi=hi[judged],
        truth=joint.truth[judged],
        hidden=joint.hidden[judged],
    )
    same_findings(case.jointly(), figures.breaches(case.width))


def judge_network(case: Case, worlds: np.ndarray) -> None:
    """A single table by the theorem or by max flow: every finding is the true one."""
    (target,) = case.targets
    table = target.table
    assert table is not None
    audit = audit_tables(
        {"table": table},
        min_count=MIN_COUNT,
        width=case.width,
        known={} if target.known is None else {"table": target.known},
        truth={} if target.truth is None else {"table": target.truth},
    )
    values = worlds @ case.sums[0].T
    truth = case.sums[0] @ case.world if case.truth else np.full(len(case.sums[0]), -1)
    names, places = Names(table), target.piece.lo.size // sum(table.hierarchy.units)
    assert places == len(table.classification) + 1, "a flat table has a place for every cell"
    figures = Figures(
        names=[names.name(cell) for cell in range(len(truth))],
        lo=values.min(axis=0),
        hi=values.max(axis=0),
        truth=truth,
        hidden=target.piece.markers.ravel() == SUPPRESSED,
    )
    same_findings(audit, figures.breaches(case.width))


def judge_together(case: Case, worlds: np.ndarray) -> None:
    """The attack by whichever way it chooses: published figures that break the promise are told, and no others.

    A figure that several tables tell, or an area and its only child, is told once or by each name.
    """
    figures: dict[tuple[int, ...], list[tuple[bool, int]]] = {}
    named: dict[tuple[str, str], tuple[int, ...]] = {}
    for target, own in zip(case.targets, case.sums, strict=True):
        piece, table = target.piece, target.table
        assert table is not None
        names = Names(table)
        held = np.flatnonzero(piece.markers.ravel() != NOT_PUBLISHED)
        assert len(held) == sum(values.size for values in table.values)
        for at, place in enumerate(held.tolist()):
            key = tuple(own[place].tolist())
            named[piece.name, plain(names.name(at))] = key
            hidden = piece.markers.ravel()[place] == SUPPRESSED
            figures.setdefault(key, []).append((bool(hidden), int(own[place] @ case.world) if case.truth else -1))
    must, may = set(), set()
    for key, tellers in figures.items():
        values = worlds @ np.array(key)
        lo, hi = int(values.min()), int(values.max())
        for hidden, truth in tellers:
            kind = breach(lo, hi, case.width, truth=truth, hidden=hidden)
            if kind:
                (must if all(each == (hidden, truth) for each in tellers) else may).add((kind, key, lo, hi))
    told = set()
    for finding in case.together().findings:
        if finding.kind in OF_CELLS and not finding.cell.endswith("(in no table)") and finding.interval is not None:
            table_name, _, cell = finding.cell.rpartition(": ")
            key = named[table_name or finding.table, plain(cell)]
            told.add((finding.kind, key, *finding.interval))
    assert must <= told <= must | may, f"told {told - must - may}, not told {must - told}"


def judge_editions(case: Case, worlds: np.ndarray) -> None:
    """Changes of every figure between two editions: what is proven to be small is told, and nothing else."""
    before, after = (worlds @ own.T for own in case.sums)
    # Worlds are pairs of any edition with any other, so ends of changes are those of the worlds.
    change = after - before
    lo, hi = change.min(axis=0), change.max(axis=0)
    assert (lo == after.min(axis=0) - before.max(axis=0)).all()
    table = case.targets[1].table
    assert table is not None
    true = (case.sums[1] - case.sums[0]) @ case.world
    expected = {}
    for cell in range(len(lo)):
        small = (lo[cell] >= 1 and hi[cell] < MIN_COUNT) or (hi[cell] <= -1 and lo[cell] > -MIN_COUNT)
        if small and not (case.truth and not 1 <= abs(true[cell]) < MIN_COUNT):
            expected[Names(table).name(cell)] = (int(lo[cell]), int(hi[cell]))
    found = {finding.cell: finding.interval for finding in case.together().findings if finding.kind == "revision"}
    assert {plain(name): ends for name, ends in found.items()} == {plain(name): ends for name, ends in expected.items()}


def plain(name: str) -> str:
    """A figure's name, as the networks' way and the joint way both have it."""
    return re.sub(r"\b[a-z]+=|(, Total)+$", "", name)


def same_findings(audit: Audit, expected: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    """Findings of single figures are those expected; no more are expected than are listed."""
    assert not any(finding.severity == "contradiction" for finding in audit.findings if finding.kind != "two values")
    found = {(f.kind, f.cell): f.interval for f in audit.findings if f.kind in OF_CELLS}
    for kind in OF_CELLS:
        number = sum(own == kind for own, _ in expected)
        own = {key: ends for key, ends in found.items() if key[0] == kind}
        if number <= 20:
            told = {key: ends for key, ends in expected.items() if key[0] == kind}
            assert own == told, f"told {own}, truly {told}"
        else:
            assert len(own) == 20 and set(own.items()) <= set(expected.items())


def judge(case: Case) -> bool:
    """Hold the attack against enumeration; False where there are too many worlds to try."""
    worlds = worlds_of(case)
    if worlds is None:
        return False
    if case.revisions:
        judge_editions(case, worlds)
        return True
    if len(case.targets) == 1:
        judge_network(case, worlds)
    judge_jointly(case, worlds)
    if not case.loose:
        judge_together(case, worlds)
    return True
