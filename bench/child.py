"""The other end of `bench.measure.in_child`: takes a task on standard input, does it, gives the result on standard output.

Started as a command of its own, so that libraries see what they see under `smallarea`: DuckDB, for one, draws
progress bars in processes that multiprocessing started.
"""

import os
import pickle
import sys
import traceback

__all__ = ["main"]


def main() -> None:
    """Do the one task; whatever it prints goes to standard error."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    task, arguments = pickle.load(sys.stdin.buffer)
    try:
        told = (True, task(*arguments))
    except BaseException:  # told to the parent, which raises
        told = (False, traceback.format_exc())
    with answer:
        pickle.dump(told, answer)


if __name__ == "__main__":
    main()
