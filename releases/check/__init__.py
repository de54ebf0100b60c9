"""The second pair of eyes: looks at a release folder from its published files alone.

Nothing here shares code with what writes a release; formats are read anew from
the standard library, numpy and pyarrow, so that one mistake is not made twice.
"""

from releases.check.release import check_release

__all__ = ["check_release"]
