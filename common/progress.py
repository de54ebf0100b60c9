"""How long work tells how far it is.  Silent unless the edge passes something that shows it."""

from typing import Protocol

__all__ = ["SILENT", "Progress"]


class Progress(Protocol):
    """Told of each step as it starts and of each part of it that is done."""

    def step(self, name: str, total: int | None = None) -> None:
        """A step begins; `total` is how many parts it has, if known."""

    def advance(self, parts: int = 1) -> None:
        """Parts of the present step are done."""


class _Silent:
    def step(self, name: str, total: int | None = None) -> None:
        """Say nothing."""

    def advance(self, parts: int = 1) -> None:
        """Say nothing."""


SILENT: Progress = _Silent()
