"""Linear and mixed-integer programmes, solved by HiGHS.

The one door to the solver.  It is asked where a table is no network, or for the
few areas that linked tables tie together; answers depend on the programme alone,
never on the clock or the number of processors.

`solve_mip` answers one question.  `Programme` keeps a model between questions:
costs, bounds and rows may change, and a linear programme starts from where the
last one ended.  Cuts that are found while solving ("lazy" ones) are rows added
between two solves.

Source: Q. Huangfu and J. A. J. Hall, "Parallelizing the dual revised simplex
method", Mathematical Programming Computation 10 (2018), 119–142.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["INFEASIBLE", "NO_LIMIT", "OPTIMAL", "STOPPED", "UNBOUNDED", "Programme", "Rows", "Solution", "solve_mip"]

OPTIMAL, INFEASIBLE, UNBOUNDED, STOPPED = "optimal", "infeasible", "unbounded", "stopped"
NO_LIMIT = np.iinfo(np.int32).max
NOTHING = np.empty(0)


@dataclass
class Rows:
    """Sparse rows ``lower <= row . x <= upper`` as they are gathered."""

    columns: list[np.ndarray] = field(default_factory=list)
    entries: list[np.ndarray] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)

    def add(self, columns: np.ndarray, entries: np.ndarray, lower: float, upper: float) -> None:
        """Note one row by its non-zero entries."""
        self.columns.append(columns)
        self.entries.append(entries)
        self.lower.append(lower)
        self.upper.append(upper)

    def add_many(
        self, starts: np.ndarray, columns: np.ndarray, entries: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> None:
        """Note rows in compressed form: row i has the entries from ``starts[i]`` to ``starts[i + 1]``."""
        cuts = starts[1:-1]
        self.columns.extend(np.split(columns, cuts))
        self.entries.extend(np.split(entries, cuts))
        self.lower.extend(lower.tolist())
        self.upper.extend(upper.tolist())

    def packed(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Starts, columns and entries of all rows in compressed form."""
        starts = np.concatenate([[0], np.cumsum([len(columns) for columns in self.columns])]).astype(np.int32)
        columns = np.concatenate([np.empty(0, np.int32), *self.columns]).astype(np.int32)
        return starts, columns, np.concatenate([NOTHING, *self.entries]).astype(np.float64)

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """What a solve gave.

    Attributes
    ----------
    status : OPTIMAL; INFEASIBLE (no point); UNBOUNDED (no least cost); STOPPED by
        the limit on branches or by numerical trouble.
    values : float64 of shape (columns,), the best point found, or None.
    objective : its cost.
    bound : no point costs less; -inf where nothing is proven.
    duals : linear programmes only, per row: what one unit more on the right would cost.
    reduced : linear programmes only, per column: its reduced cost.
    """

    status: str
    values: np.ndarray | None
    objective: float
    bound: float
    duals: np.ndarray = field(default_factory=lambda: NOTHING)
    reduced: np.ndarray = field(default_factory=lambda: NOTHING)

    @property
    def optimal(self) -> bool:
        """True where `values` are proven best."""
        return self.status == OPTIMAL


class Programme:
    """Least ``costs . x`` under ``lower <= x <= upper`` and rows, kept between solves.

    Parameters
    ----------
    costs, lower, upper : of shape (columns,); infinite bounds are `np.inf`.
    rows : what holds between the columns.
    integer : bool of shape (columns,), which of x must be whole; None for none.
    branches : nodes of the search tree that may be looked at; not seconds, for
        the answer must not depend on the machine.
    gap : relative gap at which a search for whole numbers may end.
    """

    def __init__(
        self,
        costs: np.ndarray,
        *,
        lower: np.ndarray,
        upper: np.ndarray,
        rows: Rows,
        integer: np.ndarray | None = None,
        branches: int = NO_LIMIT,
        gap: float | None = None,
    ) -> None:
        # Loaded on use: most tables never need a solver.
        import highspy

        self._highspy: Any = highspy
        self._solver: Any = highspy.Highs()
        for option, value in (("output_flag", False), ("parallel", "off"), ("mip_max_nodes", branches)):
            self._solver.setOptionValue(option, value)
        if gap is not None:
            self._solver.setOptionValue("mip_rel_gap", gap)
            self._solver.setOptionValue("mip_abs_gap", min(gap, 1e-6))
        self._solver.passModel(self._model(costs, lower, upper, rows, integer))
        self._whole = integer is not None and bool(integer.any())
        self.columns = len(costs)
        self.solves = 0

    def _model(
        self, costs: np.ndarray, lower: np.ndarray, upper: np.ndarray, rows: Rows, integer: np.ndarray | None
    ) -> Any:
        model = self._highspy.HighsLp()
        model.num_col_, model.num_row_ = len(costs), len(rows)
        model.col_cost_ = costs.astype(float)
        model.col_lower_, model.col_upper_ = lower.astype(float), upper.astype(float)
        model.row_lower_, model.row_upper_ = np.array(rows.lower, float), np.array(rows.upper, float)
        model.a_matrix_.format_ = self._highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = rows.packed()
        if integer is not None:
            model.integrality_ = self._kinds(integer)
        return model

    def _kinds(self, integer: np.ndarray) -> list[Any]:
        kinds = (self._highspy.HighsVarType.kContinuous, self._highspy.HighsVarType.kInteger)
        return [kinds[int(whole)] for whole in integer]

    def set_costs(self, columns: np.ndarray, costs: np.ndarray) -> None:
        """New costs for some columns."""
        self._solver.changeColsCost(len(columns), columns.astype(np.int32), costs.astype(float))

    def set_bounds(self, columns: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """New bounds for some columns."""
        self._solver.changeColsBounds(len(columns), columns.astype(np.int32), lower.astype(float), upper.astype(float))

    def set_integer(self, integer: np.ndarray) -> None:
        """Which columns must be whole, bool of shape (columns,)."""
        at = np.arange(self.columns, dtype=np.int32)
        kinds = np.array([int(kind) for kind in self._kinds(integer)], np.uint8)
        self._solver.changeColsIntegrality(self.columns, at, kinds)
        self._whole = bool(integer.any())

    def add_rows(self, rows: Rows) -> None:
        """More rows; those that are there keep their numbers."""
        starts, columns, entries = rows.packed()
        lower, upper = np.array(rows.lower, float), np.array(rows.upper, float)
        self._solver.addRows(len(rows), lower, upper, len(columns), starts[:-1], columns, entries)

    def start_from(self, values: np.ndarray) -> None:
        """Offer a point for the next search for whole numbers to start from."""
        at = np.arange(self.columns, dtype=np.int32)
        self._solver.setSolution(self.columns, at, values.astype(float))

    def solve(self) -> Solution:
        """Solve as the model now stands."""
        self.solves += 1
        self._solver.run()
        info, feasible = self._solver.getInfo(), self._highspy.SolutionStatus.kSolutionStatusFeasible
        status = self._status()
        solution = self._solver.getSolution()
        found = info.primal_solution_status == feasible
        objective = float(info.objective_function_value) if found else np.inf
        if self._whole:
            bound = float(info.mip_dual_bound)
            return Solution(status=status, values=_array(solution.col_value, found), objective=objective, bound=bound)
        return Solution(
            status=status,
            values=_array(solution.col_value, found),
            objective=objective,
            bound=objective if status == OPTIMAL else -np.inf,
            duals=np.array(solution.row_dual),
            reduced=np.array(solution.col_dual),
        )

    def _status(self) -> str:
        statuses = self._highspy.HighsModelStatus
        known = {
            statuses.kOptimal: OPTIMAL,
            statuses.kModelEmpty: OPTIMAL,
            statuses.kInfeasible: INFEASIBLE,
            statuses.kUnbounded: UNBOUNDED,
        }
        return known.get(self._solver.getModelStatus(), STOPPED)

    def clash(self) -> np.ndarray:
        """Multipliers of the rows that prove there is no point: float64 of shape (rows,).

        To be asked after a linear programme was INFEASIBLE; all zero where the
        solver has no proof to show.
        """
        _, there, ray = self._solver.getDualRay()
        return np.array(ray) if there else np.zeros(self._solver.getNumRow())


def _array(values: object, found: bool) -> np.ndarray | None:
    return np.array(values) if found else None


def solve_mip(
    costs: np.ndarray, *, integer: np.ndarray, upper: np.ndarray, rows: Rows, branches: int
) -> np.ndarray | None:
    """Least-cost x with 0 <= x <= upper, float64 of shape (n,); None where there is none, or none was found.

    Parameters
    ----------
    costs : of shape (n,).
    integer : bool of shape (n,), which of x must be whole.
    branches : nodes of the search tree that may be looked at; not seconds, for
        the answer must not depend on the machine.
    """
    programme = Programme(costs, lower=np.zeros(len(costs)), upper=upper, rows=rows, integer=integer, branches=branches)
    return programme.solve().values
