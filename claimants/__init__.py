"""Records to counts: who counts, for what, and where.

The only room that touches rows about people.  What leaves it are counts of the
smallest areas by a few variables.
"""
