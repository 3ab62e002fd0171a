"""The fixture `connect_emulator`, for pytest: `pytest_plugins = ["pabbly_connect.testing.pytest_plugin"]`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ._emulator import Emulator, start_emulator

__all__ = ["connect_emulator"]


@pytest.fixture(scope="session")
def connect_emulator() -> Iterator[Emulator]:
    """Run one emulator for all tests. Give each test a customer of its own."""
    with start_emulator() as emulator:
        yield emulator
