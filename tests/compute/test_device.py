"""Which device there is, and why another is not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mgrkit.commands import doctor
from mgrkit.compute.device import KINDS, lacking, resolve_device
from mgrkit.errors import UsageError


class Machine:
    """A machine with a torch that was built for something and sees so many devices.

    Parameters
    ----------
    built : what torch's ``version.py`` says of itself; None where torch is not installed.
    driver : whether NVIDIA's driver is among the system's libraries.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._patch, self._folder = monkeypatch, folder
        self.asked = 0

    def has(self, built: str | None, driver: bool = False, sees: int = 0) -> None:
        self.asked, self._count, self._driver = 0, sees, driver
        (self._folder / "version.py").write_text(built or "")
        origin = SimpleNamespace(origin=str(self._folder / "__init__.py"))
        place = "mgrkit.compute.device"
        self._patch.setattr(f"{place}.sys.platform", "linux")
        self._patch.setattr(f"{place}.ctypes.CDLL", self._load)
        self._patch.setattr(
            f"{place}.importlib.util.find_spec", lambda name: None if built is None else origin
        )
        fake: Any = ModuleType("torch")
        fake.cuda = self
        fake.backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
        self._patch.setitem(sys.modules, "torch", fake)

    def _load(self, name: str) -> None:
        if name != "libcuda.so.1" or not self._driver:
            raise OSError("no such library")

    def is_available(self) -> bool:
        self.asked += 1
        return self._count > 0

    def device_count(self) -> int:
        return self._count

    def get_device_name(self, number: int) -> str:
        return f"GPU {number}"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


CUDA = "cuda = '13.0'\nhip = None\n"
ROCM = "cuda = None\nhip = '7.2'\n"
CPUS = "cuda = None\nhip = None\n"


@pytest.mark.parametrize(("built", "driver"), [(CUDA, True), (ROCM, False)])
def test_torch_is_asked_wherever_it_could_see_a_gpu(
    machine: Machine, built: str, driver: bool
) -> None:
    """Linux, WSL 2 and ROCm, with no word of files in /dev."""
    machine.has(built, driver, sees=2)
    assert resolve_device("auto", ("cuda", "cpu")) == "cuda"
    assert resolve_device("cuda:1", KINDS) == "cuda:1"
    with pytest.raises(UsageError, match=r"no device cuda:2 here \(torch sees 2\)"):
        resolve_device("cuda:2", KINDS)
    machine.has(built, driver, sees=1)
    with pytest.raises(UsageError, match=r"no device cuda:7 here \(torch sees 1\)"):
        resolve_device("cuda:7", KINDS)
    machine.has(built, driver, sees=0)
    with pytest.raises(UsageError, match=r"no device cuda here \(torch sees none\)"):
        resolve_device("cuda", KINDS)
    assert machine.asked == 1


@pytest.mark.parametrize(
    ("built", "why"),
    [(CUDA, "no driver"), (CPUS, "this torch is for CPUs only"), (None, "torch is not installed")],
)
def test_torch_is_not_asked_where_it_could_see_none(
    machine: Machine, built: str | None, why: str
) -> None:
    machine.has(built, sees=1)
    assert resolve_device("auto", ("cuda", "mps", "cpu")) == "cpu"
    with pytest.raises(UsageError, match=rf"no device cuda here \({why}\)"):
        resolve_device("cuda", KINDS)
    with pytest.raises(UsageError, match=r"no device mps here \(only macOS has it\)"):
        resolve_device("mps", KINDS)
    assert machine.asked == 0


def test_a_torch_that_is_broken_is_named(machine: Machine, tmp_path: Path) -> None:
    machine.has(CUDA)
    (tmp_path / "version.py").unlink()
    assert lacking("cuda") == "torch cannot be loaded"


@pytest.mark.torch
def test_the_torch_that_is_here_says_what_it_was_built_for() -> None:
    import torch

    if not (torch.version.cuda or torch.version.hip):
        assert lacking("cuda") == "this torch is for CPUs only"
    else:
        assert (lacking("cuda") == "") == torch.cuda.is_available()


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:1"])
def test_what_is_no_device(name: str) -> None:
    with pytest.raises(UsageError, match="there is no device '"):
        resolve_device(name, KINDS)


@pytest.mark.torch
def test_doctor_says_why_there_is_no_gpu(machine: Machine) -> None:
    machine.has(CUDA, driver=True, sees=0)
    assert doctor._devices() == ["cpu", "no cuda: torch sees none"]
    machine.has(CUDA)
    assert doctor._devices() == ["cpu", "no cuda: no driver"]
    machine.has(ROCM, sees=1)
    assert doctor._devices() == ["cpu", "cuda:0 GPU 0"]
