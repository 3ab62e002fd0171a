"""What tests of programs that use the SDK need: clients that call nothing, and the whole platform on this machine.

`FakeClient` and `FakeAsyncClient` give what they are told to. `start_emulator` starts `connect-service dev`;
`pytest_plugins = ["pabbly_connect.testing.pytest_plugin"]` has it as the fixture `connect_emulator`.
"""

from ._emulator import Emulator, EmulatorError, start_emulator
from ._fakes import AsyncResult, FakeAsyncClient, FakeClient, Result

__all__ = ["AsyncResult", "Emulator", "EmulatorError", "FakeAsyncClient", "FakeClient", "Result", "start_emulator"]
