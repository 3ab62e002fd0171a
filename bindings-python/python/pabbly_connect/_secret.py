"""Texts that are not to be seen."""

from __future__ import annotations


class SecretText(str):
    """A text that `repr` does not show, nor what prints it inside of something else."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide it."""
        return "[redacted]"
