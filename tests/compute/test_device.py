"""Which device there is, and why another is not."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mgrkit.commands import doctor
from mgrkit.compute.device import KINDS, lacking, resolve_device
from mgrkit.errors import UsageError


class Machine:
    """A machine with these files and a torch that sees so many devices."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.asked = 0

    def has(self, *files: str, torch: int | None = 0) -> None:
        self.asked = 0
        self._patch.setattr("mgrkit.compute.device.os.path.exists", lambda path: path in files)
        self._patch.setattr("mgrkit.compute.device.sys.platform", "linux")
        self._patch.setattr(
            "mgrkit.compute.device.importlib.util.find_spec",
            lambda name: torch is not None or None,
        )
        fake: Any = ModuleType("torch")
        fake.cuda = self
        fake.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
        self._count = torch or 0
        self._patch.setitem(sys.modules, "torch", fake)

    def is_available(self) -> bool:
        self.asked += 1
        return self._count > 0

    def device_count(self) -> int:
        return self._count

    def get_device_name(self, number: int) -> str:
        return f"GPU {number}"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize("file", ["/dev/nvidiactl", "/dev/dxg", "/dev/kfd"])
def test_torch_is_asked_wherever_there_can_be_a_gpu(machine: Machine, file: str) -> None:
    """Linux, WSL 2 and ROCm."""
    machine.has(file, torch=2)
    assert resolve_device("auto", ("cuda", "cpu")) == "cuda"
    assert resolve_device("cuda:1", KINDS) == "cuda:1"
    with pytest.raises(UsageError, match=r"no device cuda:2 here \(torch sees 2\)"):
        resolve_device("cuda:2", KINDS)
    machine.has(file, torch=0)
    with pytest.raises(UsageError, match=r"no device cuda here \(torch sees none\)"):
        resolve_device("cuda", KINDS)
    assert machine.asked == 1
    machine.has(file, torch=None)
    assert lacking("cuda") == "torch is not installed"


def test_torch_is_neither_asked_nor_blamed_where_there_is_no_driver(machine: Machine) -> None:
    machine.has(torch=1)
    assert resolve_device("auto", ("cuda", "mps", "cpu")) == "cpu"
    with pytest.raises(UsageError, match=r"no device cuda here \(no driver\)"):
        resolve_device("cuda", KINDS)
    with pytest.raises(UsageError, match=r"no device mps here \(only macOS has it\)"):
        resolve_device("mps", KINDS)
    assert machine.asked == 0


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:1"])
def test_what_is_no_device(name: str) -> None:
    with pytest.raises(UsageError, match="there is no device '"):
        resolve_device(name, KINDS)


@pytest.mark.torch
def test_doctor_says_why_there_is_no_gpu(machine: Machine) -> None:
    machine.has("/dev/dxg", torch=0)
    assert doctor._devices() == ["cpu", "no cuda: torch sees none"]
    machine.has(torch=0)
    assert doctor._devices() == ["cpu", "no cuda: no driver"]
    machine.has("/dev/kfd", torch=1)
    assert doctor._devices() == ["cpu", "cuda:0 GPU 0"]
