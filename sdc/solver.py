"""Linear and mixed-integer programmes, solved by HiGHS.

The one solver of this room.  It is asked where a table is no network, or for
the few areas that linked tables tie together; answers depend on the programme
alone, never on the clock or the number of processors.
"""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["Rows", "solve_mip"]


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
    # Loaded on use: most tables never need a solver.
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(costs), len(rows.lower)
    model.col_cost_, model.col_lower_, model.col_upper_ = costs, np.zeros(len(costs)), upper.astype(float)
    model.row_lower_, model.row_upper_ = np.array(rows.lower), np.array(rows.upper)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(columns) for columns in rows.columns])])
    model.a_matrix_.index_ = np.concatenate(rows.columns)
    model.a_matrix_.value_ = np.concatenate(rows.entries)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[int(whole)] for whole in integer]
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("parallel", "off"), ("mip_max_nodes", branches)):
        solver.setOptionValue(option, value)
    solver.passModel(model)
    solver.run()
    found = solver.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    return np.array(solver.getSolution().col_value) if found else None
