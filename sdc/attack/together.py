"""Which published tables say something of each other, and by which way each set of them is attacked.

Tables are *related* where they count the same (or what a relation ties together) in areas that
are known to lie on each other.  A set of related tables is attacked

* as networks (`sdc.attack.judge`), where all are over one area tree and no two share a
  dimension but with the same categories: totals and equal columns are all they have in common.
  That is exact for one table, and where the theorem holds; else only where they are too large for the other way;
* as one system (`sdc.attack.jointly`) otherwise, where the flows of each network add what
  is judged of single tables alone: groups, insiders, lone claimants, beliefs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from common.progress import SILENT, Progress
from sdc.attack.averaging import MAX_CERTAINTY
from sdc.attack.backwards import audit_backwards
from sdc.attack.besides import Besides, audit_besides
from sdc.attack.byproof import as_networks, people_beside_claims, proven_revisions
from sdc.attack.joined import Joined, joined
from sdc.attack.joint import Flow, Within
from sdc.attack.jointly import audit_pieces
from sdc.attack.judge import BEYOND_SHARED, audit_tables
from sdc.attack.listing import several
from sdc.attack.markers import audit_markers
from sdc.attack.noise import SUMS_LEFT_OUT, audit_noise
from sdc.attack.overlaps import Overlap
from sdc.attack.related import related_sets
from sdc.attack.sums import audit_sums
from sdc.attack.targets import Target
from sdc.attack.unlike import unlike_values
from sdc.differencing.revisions import Revision
from sdc.findings import Audit

__all__ = ["audit_together"]

# What the joint system judges of every cell: single tables need not tell it again.
JUDGED_JOINTLY = ("pinned", "too narrow", "not covered", "insider")
# What the joint attack on intervals says that it leaves out, and `sdc.attack.besides` takes up.
UNTRIED = "what insiders who know their own record learn of other cells"


def audit_together(
    targets: Sequence[Target],
    *,
    min_count: int,
    width: int | None = None,
    sensitive: tuple[str, ...] = (),
    group_size: int = 10,
    overlaps: Mapping[str, Overlap] | None = None,
    within: Sequence[Within] = (),
    flows: Sequence[Flow] = (),
    revisions: Sequence[Revision] = (),
    max_certainty: float = MAX_CERTAINTY,
    verdict: bool = False,
    progress: Progress = SILENT,
) -> Audit:
    """Attack published tables, each with all that say something of it.

    A count x is *small* where 1 <= x <= min_count - 1; see `sdc.attack.judge.audit_tables`
    for the other parameters of the promise and `sdc.attack.joint.join_pieces` for relations.
    `max_certainty` is how firmly one value may be believed by somebody who has the ptable.  With `verdict`
    only whether the tables are safe is asked: the attack ends at the first step that finds something, and what is
    believed of single values, of which nothing is judged, is not told.

    Raises
    ------
    InputError
        A truth does not fit its table.
    """
    overlaps = dict(overlaps or {})
    pieces = [target.piece for target in targets]
    proven = proven_revisions(targets, overlaps, within, flows, revisions, min_count)
    audit = Audit(checked=tuple(f"changes of {one.name}: no small one is proven (by proof)" for one in proven))
    revisions = [one for one in revisions if one not in proven]
    sets = related_sets(pieces, overlaps=overlaps, within=within, flows=flows, revisions=revisions)
    sets = [members for members in sets if not all(targets[member].public for member in members)]
    for target in targets:
        if not target.public:
            audit = audit.joined(_by_itself(target, min_count, width, max_certainty))
    for members in sets:
        if verdict and not audit.safe:
            return audit
        chosen = [targets[member] for member in members]
        own_values = True
        beside = people_beside_claims(chosen, within)
        alone = beside is not None or as_networks(chosen)
        for own in _by_measure([target for target in chosen if target.table is not None and not target.public]):
            by_flow = audit_tables(
                {target.piece.name: target.table for target in own if target.table is not None},
                min_count=min_count,
                width=width,
                known={target.piece.name: target.known for target in own if target.known is not None},
                truth={target.piece.name: target.truth for target in own if target.truth is not None},
                sensitive=sensitive,
                group_size=group_size,
                beliefs=not verdict,
                progress=progress,
            )
            enough = alone or (verdict and _alike_in_truth(chosen))
            audit = audit.joined(by_flow if enough else _beside_joint(by_flow))
            audit = audit.joined(unlike_values(own) if alone else Audit())
        if verdict and not audit.safe:
            return audit
        measures = {target.piece.measure for target in chosen}
        tied = [target.piece for target in chosen]
        own_within = [one for one in within if {one.parts, one.whole} <= measures]
        own_flows = [one for one in flows if one.measures <= measures]
        ready: Joined | None = None
        if beside is not None:
            audit = audit.joined(beside)
        elif not alone:
            progress.step("joining tables")
            ready = joined(tied, overlaps=overlaps, within=own_within, flows=own_flows)
            jointly = audit_pieces(
                tied,
                min_count=min_count,
                width=width,
                public=[target.piece.name for target in chosen if target.public],
                ready=ready,
                revisions=[one for one in revisions if {one.before, one.after} <= measures],
                variances={
                    one.piece.name: one.variance for one in chosen if one.variance is not None and one.ptable is None
                },
                progress=progress,
            )
            audit = audit.joined(jointly)
            own_values = "theorem" in jointly.figures.values() or _contradicts(jointly)
            if verdict and not audit.safe:
                return audit
        asked = Besides(
            min_count=min_count,
            width=min_count - 1 if width is None else width,
            sensitive=sensitive,
            group_size=group_size,
            max_certainty=max_certainty,
            insiders={target.piece.name: target.insiders for target in chosen},
            ptables={
                target.piece.name: target.ptable for target in chosen if target.ptable is not None and _is_noisy(target)
            },
            public=[target.piece.name for target in chosen if target.public],
            told=[target.piece.name for target in chosen if target.table is not None],
            together=not own_values,
        )
        besides = audit_besides(tied, asked, overlaps=overlaps, within=own_within, flows=own_flows, ready=ready)
        audit = _settled(audit, asked).joined(besides) if besides.checked else audit.joined(besides)
    if len(sets) > 1:
        named = several([several([targets[member].piece.name for member in members]) for members in sets], joint="; ")
        alike = len({piece.measure for piece in pieces}) == 1
        what = "sets of tables that nothing is known to tie" if alike else "tables of different populations or dates"
        audit = audit.joined(Audit(not_checked=(f"{what} against each other: {named}",)))
    return audit


def _is_noisy(target: Target) -> bool:
    """Whether figures still are what the method gave: a mend may have made them anew by another."""
    return target.piece.method.name == "cell-key"


def _alike_in_truth(targets: Sequence[Target]) -> bool:
    """Whether all tables of ours have a truth, or none: then what single tables find is what all together find, or a part."""
    return len({target.piece.truth is None for target in targets if not target.public}) == 1


def _contradicts(audit: Audit) -> bool:
    return any(finding.kind == "contradiction" for finding in audit.findings)


def _by_itself(target: Target, min_count: int, width: int | None, max_certainty: float) -> Audit:
    """What one table gives away otherwise than by intervals: its markers, the rule it was made by, its noise."""
    audit, name, table = audit_sums(target.piece), target.piece.name, target.table
    if target.signs is not None and target.signs.fits(target.piece):
        audit = audit.joined(audit_markers(target.piece, target.signs, min_count=min_count))
    if table is None:
        return audit
    ruled, known, truth = target.ruled, target.known, target.truth
    if ruled is not None and ruled.made(table):
        audit = audit.joined(
            audit_backwards(name, table, ruled.rule, min_count=min_count, width=width, known=known, truth=truth)
        )
    elif ruled is not None:
        audit = audit.joined(Audit(not_checked=(f"{name}: what {ruled.rule} run backwards proves of a part of it",)))
    elif table.method.name == "conventional-rounding":
        told = "each figure is rounded by itself, so that its own interval is all that the rule says of it"
        audit = audit.joined(Audit(checked=(f"{name}: conventional rounding run backwards: {told}",)))
    if target.ptable is not None and _is_noisy(target):
        bounds = {} if target.known is None else {name: target.known}
        noisy = audit_noise(
            {name: table}, target.ptable, min_count=min_count, max_certainty=max_certainty, known=bounds
        )
        audit = audit.joined(noisy)
    return audit


def _settled(audit: Audit, asked: Besides) -> Audit:
    """The audit without what was not looked at jointly and now is."""
    by = ", ".join(asked.insiders)
    looked_at = (UNTRIED, *(("group disclosure",) if asked.sensitive else ())) if asked.together else ()
    done = {f"{by}: {what}" for what in looked_at} | ({SUMS_LEFT_OUT} if asked.ptables else set())
    return replace(audit, not_checked=tuple(text for text in audit.not_checked if text not in done))


def _by_measure(targets: Sequence[Target]) -> list[list[Target]]:
    """Targets that count the same, in the order in which each measure is first met."""
    measures = dict.fromkeys(target.piece.measure for target in targets)
    return [[target for target in targets if target.piece.measure == measure] for measure in measures]


def _beside_joint(audit: Audit) -> Audit:
    """What single tables add to the joint attack: not what that judges of every cell."""
    kept = tuple(finding for finding in audit.findings if finding.kind not in JUDGED_JOINTLY)
    figures = {
        name: figure
        for name, figure in audit.figures.items()
        if not any(name.endswith((f": {kind}", f": {kind}, not listed")) for kind in JUDGED_JOINTLY)
    }
    moot = ("tables over different areas against each other", f": {BEYOND_SHARED}")
    return replace(
        audit,
        findings=kept,
        figures=figures,
        not_checked=tuple(text for text in audit.not_checked if not text.endswith(moot)),
    )
