"""Hidden cells that become known together: cut pairs of the graph of hidden cells.

Two hidden cells are a *cut pair* when neither is a bridge and whoever knows one
knows the other: without it the other is a bridge.  A lone claimant knows a cell
of one, so each of its partners is theirs to read.

Every arc outside a spanning forest takes a random 64-bit word; an arc of the
forest takes the words of all arcs whose cycle runs over it, joined by exclusive
or.  The label of a set of arcs that a cut consists of comes to 0: so a bridge is
labelled 0, and two arcs are a cut pair if and only if their labels are equal.
"If" holds but for chance, 2**-64 a pair.  Arcs of one label are a *class*: one
common change is the only freedom they have.

Sources: methods 4.1; D. Pritchard & R. Thurimella, "Fast computation of small
cuts via cycle space sampling", ACM Transactions on Algorithms 7 (2011).
"""

import numpy as np

from sdc.attack.bridges import arcs_by_node
from sdc.compiled import lean

__all__ = ["cut_classes", "cut_labels"]


def cut_labels(tails: np.ndarray, heads: np.ndarray, nodes: int, words: np.ndarray) -> np.ndarray:
    """Labels of arcs: 0 for a bridge, equal for a cut pair.  uint64 of shape (arcs,).

    Parameters
    ----------
    tails, heads : whole numbers of shape (arcs,), the nodes each arc joins.
    nodes : number of nodes.
    words : uint64 of shape (arcs,), random words none of which a reader of the result may foresee; 0 is taken as 1.

    Examples
    --------
    Two triangles that share the arc (0, 1): its sides are cut pairs, the shared arc is alone.

    >>> tails, heads = np.array([0, 1, 2, 1, 3]), np.array([1, 2, 0, 3, 0])
    >>> labels = cut_labels(tails, heads, 4, np.array([3, 5, 7, 11, 13], np.uint64))
    >>> labels[1] == labels[2] != labels[0], labels[3] == labels[4]
    (np.True_, np.True_)
    """
    labels = np.zeros(len(tails), np.uint64)
    if len(tails):
        first, ends = arcs_by_node(tails, heads, nodes)
        came, queue = np.full(nodes, -2, np.int64), np.empty(nodes, np.int64)
        _label(tails, heads, first, ends, words, came, queue, np.zeros(nodes, np.uint64), labels)
    return labels


def cut_classes(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arcs by class, bridges left out: the members of class i are ``members[first[i]:first[i + 1]]``, in any order."""
    members = np.argsort(labels)
    members = members[np.searchsorted(labels[members], 1) :]
    ordered = labels[members]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(members) else members
    return members, np.append(starts, len(members))


@lean
def _label(tails, heads, first, ends, words, came, queue, sums, labels):  # type: ignore[no-untyped-def]
    """Breadth-first forest; then words are handed up from the leaves."""
    for root in range(len(came)):
        if came[root] != -2:
            continue
        came[root] = -1
        queue[0] = root
        done = 0
        number = 1
        while done < number:
            node = queue[done]
            done += 1
            for at in range(first[node], first[node + 1]):
                arc = ends[at] >> 1
                other = tails[arc] if ends[at] & 1 else heads[arc]
                if came[other] == -2:
                    came[other] = arc
                    queue[number] = other
                    number += 1
                elif came[node] != arc and came[other] != arc and labels[arc] == 0:
                    word = words[arc] if words[arc] != 0 else np.uint64(1)
                    labels[arc] = word
                    sums[node] ^= word
                    sums[other] ^= word
        for i in range(number - 1, 0, -1):
            node = queue[i]
            arc = came[node]
            labels[arc] = sums[node]
            other = heads[arc] if tails[arc] == node else tails[arc]
            sums[other] ^= sums[node]
