"""Compiled code for walks over graphs."""

from numba import njit

__all__ = ["lean"]

# For functions that only read and write arrays they are given.  They allocate nothing, so that no references need
# counting, which otherwise takes half the time of a walk whose steps are small functions over many arrays; and they
# divide by nothing that can be 0.
lean = njit(cache=True, _nrt=False, error_model="numpy")
