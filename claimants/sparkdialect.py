"""How expressions are said to Spark where the words of Ibis would give another answer than they give in DuckDB."""

from typing import Any

import sqlglot.expressions as sge
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler

from claimants.text import BLANKS, CAPITALS

__all__ = ["SparkBackend"]

# Private letters that stand for those of `CAPITALS` while Spark makes capitals of the others.
_LETTERS = "".join(CAPITALS)
_STANDING_FOR = "".join(chr(0x10FE00 + place) for place in range(len(CAPITALS)))
_CAPITALS = "".join(CAPITALS.values())


class _Compiler(PySparkCompiler):
    """The compiler of Ibis, but for functions that the two engines have by one name and understand differently."""

    __slots__ = ()

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:
        """`trim` takes off spaces alone in Spark, and takes what to take off in another place."""
        if self.__sql_name__(op) != "trim":
            return super().visit_ScalarUDF(op, **arguments)
        text, *signs = arguments.values()
        return sge.Trim(this=text, expression=signs[0] if signs else sge.convert(BLANKS), position="BOTH")

    def visit_BitOr(self, op: Any, *, arg: Any, where: Any) -> Any:
        """Ibis does not know that Spark has it."""
        return self.agg.bit_or(arg, where=where)

    def visit_Uppercase(self, op: Any, *, arg: Any) -> Any:
        """Capitals of several letters, which Spark makes, are kept from it; text of plain letters needs none of this."""
        plain = self.f.octet_length(arg).eq(self.f.char_length(arg))
        kept = self.f.upper(self.f.translate(arg, _LETTERS, _STANDING_FOR))
        return self.if_(plain, self.f.upper(arg), self.f.translate(kept, _STANDING_FOR, _CAPITALS))


class SparkBackend(Backend):
    """The backend of Ibis, with our compiler."""

    compiler = _Compiler()
