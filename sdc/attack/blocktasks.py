"""What is asked of one block, and the way it goes: walks, one programme, or neighbourhoods."""

from dataclasses import dataclass, replace

import numpy as np

from sdc.attack.blocksearch import BlockFound, search_block
from sdc.attack.elimination import Block, Classes
from sdc.attack.neighbourhoods import find_start, search_by_neighbourhoods
from sdc.attack.walking import Ends, Met

__all__ = ["Done", "Task", "search_task"]

Bounds = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """A block and what is asked of it; arrays of shape (cells of the block,), see `sdc.attack.programmes`."""

    block: Block
    classes: Classes | None
    bounds: Bounds
    asked: np.ndarray
    want: Ends
    start: np.ndarray | None
    whole: bool
    branches: int
    most_cells: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Done:
    """What was found, the cells (bool) that programmes were asked for, and whether in neighbourhoods."""

    found: BlockFound
    programmed: np.ndarray
    by_neighbourhoods: bool


def search_task(task: Task, met: Met | None) -> Done:
    """Follow the asked cells to their wanted ends, those that walks met by these, the others by programmes.

    Raises
    ------
    NoSolution
        No table fits the block.
    """
    if met is None:
        return _by_programmes(task, np.ones(len(task.asked), np.bool_), None)
    asked = task.asked & ~task.want.done(met.least, met.most)
    low, high = asked & (met.least > task.want.lo), asked & (met.most < task.want.hi)
    still = low | high
    if not still.any():
        return Done(found=_by_walks(task.bounds, met), programmed=still, by_neighbourhoods=False)
    # An end that a walk met is not followed again.
    want = Ends.of((np.where(low, task.want.lo, task.bounds[1]), np.where(high, task.want.hi, task.bounds[0])))
    done = _by_programmes(replace(task, asked=still, want=want, start=met.table), still, (met.least, met.most))
    least, most = np.minimum(done.found.seen_lo, met.least), np.maximum(done.found.seen_hi, met.most)
    return replace(done, found=replace(done.found, seen_lo=least, seen_hi=most))


def _by_programmes(task: Task, programmed: np.ndarray, met: Bounds | None) -> Done:
    block, start = task.block, task.start
    want = task.want.lo, task.want.hi
    if task.most_cells is None or len(block.cells) <= task.most_cells:
        found = search_block(
            block,
            task.bounds,
            classes=task.classes,
            asked=task.asked,
            want=want,
            whole=task.whole,
            start=start,
            branches=task.branches,
            sweep=met is None,
        )
        return Done(found=found, programmed=programmed, by_neighbourhoods=False)
    if start is None:
        start = find_start(block, task.bounds, whole=task.whole, branches=task.branches)
    found = search_by_neighbourhoods(
        block,
        task.bounds,
        asked=task.asked,
        want=want,
        whole=task.whole,
        start=start,
        branches=task.branches,
        size=task.most_cells,
        met=met,
    )
    return Done(found=found, programmed=programmed, by_neighbourhoods=True)


def _by_walks(bounds: Bounds, met: Met) -> BlockFound:
    """A block of which walks met all that is asked."""
    return BlockFound(
        lo=bounds[0].astype(float),
        hi=bounds[1].astype(float),
        seen_lo=met.least.astype(float),
        seen_hi=met.most.astype(float),
        searched=np.zeros(len(bounds[0]), np.bool_),
        solved=0,
        whole_solved=0,
        stopped=0,
    )
