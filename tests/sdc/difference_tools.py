"""Divisions, and the plain judge: every union of zones, every table of counts, one by one."""

import itertools

import numpy as np
from test_joint_attack import exact, flat_tree, table_of

from sdc.attack.joint import join_pieces
from sdc.attack.jointly import JointNames
from sdc.attack.pieces import piece_of_table
from sdc.attack.systems import PublishedCells, audit_cells
from sdc.differencing.differences import add_differences
from sdc.differencing.zones import Zones
from sdc.findings import Audit
from sdc.system import SafeCells
from sdc.tables import NOT_PUBLISHED, SUPPRESSED, Method


def drawn_zones(rng, most=5, atoms=12, outside=False):
    """Two divisions of a few atoms at random."""
    units = []
    for _ in range(2):
        drawn = rng.integers(-1 if outside else 0, rng.integers(2, most + 1), atoms)
        known = np.unique(drawn[drawn >= 0])
        units.append(np.where(drawn < 0, -1, np.searchsorted(known, drawn)))
    codes = [np.array([f"{name}{at}" for at in range(own.max() + 1)]) for name, own in zip("AB", units, strict=True)]
    return Zones.of(("a", "b"), tuple(codes), tuple(units))


def totals(zones, counts):
    """Totals of zones from counts of edges."""
    sums = np.zeros(len(zones), np.int64)
    np.add.at(sums, zones.ends[0], counts[zones.ends[1]])
    return sums


def edges_of(zones, taken):
    """Edges in any of the zones: bool."""
    return np.isin(zones.first, taken) | np.isin(zones.second, taken)


def all_differences(zones):
    """Every union of zones of one division less all zones of the other that lie in it: (zones, zones, edges), not empty."""
    split = zones.sizes[0]
    for own in (np.arange(split), np.arange(split, len(zones))):
        others = np.setdiff1d(np.arange(len(zones)), own)
        for number in range(1, len(own) + 1):
            for taken in itertools.combinations(own.tolist(), number):
                inside = edges_of(zones, np.array(taken))
                away = [zone for zone in others.tolist() if inside[edges_of(zones, [zone])].all()]
                left = inside & ~edges_of(zones, np.array(away, np.int64))
                if left.any():
                    yield taken, tuple(away), left


def pieces_of(divisions, counts, publish=exact, measure=""):
    """A table of totals for each division of atoms with these counts."""
    pieces = []
    for name, codes in divisions.items():
        codes = np.asarray(codes)
        own = np.unique(codes)
        sums = np.array([np.asarray(counts)[codes == code].sum(axis=0) for code in own])
        dimensions = {} if sums.ndim == 1 else {"benefit": [f"b{at}" for at in range(sums.shape[1])]}
        pieces.append(piece_of_table(name, publish(table_of(flat_tree(name, own), dimensions, sums)), measure=measure))
    return pieces


def audit_with_differences(pieces, overlaps, *, min_count=5, without=False):
    """Join, add differences, judge: as `audit_pieces` does."""
    joint = join_pieces(pieces, overlaps=overlaps)
    told = Audit()
    if not without:
        joint, told = add_differences(joint, pieces, min_count=min_count)
    markers = np.where(joint.hidden, SUPPRESSED, NOT_PUBLISHED).astype(np.int8)
    published = PublishedCells(
        name="all",
        equations=joint.system.equations,
        safe=SafeCells(
            values=np.zeros(len(markers), np.int64),
            markers=markers,
            method=Method(name="suppression", base=1, min_count=min_count),
        ),
        names=JointNames(joint, pieces),
        truth=joint.truth if (joint.truth >= 0).any() else None,
        known=(joint.lo, joint.hi),
    )
    return audit_cells(published, min_count=min_count).joined(told)
