"""The scripts for clusters: the shares that they start make the tree that one process makes.

Launchers are played; mgrkit is not: what a script calls is noted, and then run here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.cli.test_commands import tone
from tests.examples.installing import ROOT

FOLDER = ROOT / "examples" / "cluster"
PAGE = ROOT / "docs" / "how-to" / "cluster.md"
LANGUAGES = {".sh": "bash", ".yaml": "yaml", ".py": "python3"}

NOTING = """#!/bin/bash
note=$NOTES/$(ls "$NOTES" | wc -l).${0##*/}.$$
printf '%s\\0' "$PWD" "$@" > "$note"
exit ${EXITS:-0}
"""
SSH = """#!/bin/bash
while [[ $1 == -* ]]; do shift; done
echo "$1" >> "$NOTES/../hosts"
exec bash -c "$2" < /dev/null
"""
JOBQUEUE = """
class SLURMCluster:  # as that of dask-jobqueue 0.9.0
    scheduler_address = "tcp://127.0.0.1:9"
    def __init__(self, *, cores, processes, memory, walltime):
        assert cores == processes, "one thread a worker"
    def adapt(self, *, minimum_jobs, maximum_jobs):
        assert minimum_jobs == maximum_jobs
    def __enter__(self):
        return self
    def __exit__(self, *raised):
        print("closed")
"""


class Played:
    """Programs that only note how they are called, and a shell that finds these first."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        self.notes.mkdir()
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name, text in {"mgrkit": NOTING, "dask": NOTING, "ssh": SSH}.items():
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)

    def run(self, command: list[object], **variables: object) -> int:
        told = {name: str(value) for name, value in variables.items()}
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "NOTES": str(self.notes), **told}
        return subprocess.run(list(map(str, command)), env=environment, timeout=60).returncode

    def calls(self, program: str) -> list[list[str]]:
        """The words of each call, in which it was made by its folder first; then they are gone."""
        files = sorted(self.notes.glob(f"*.{program}.*"), key=lambda f: int(f.name.split(".")[0]))
        found = [file.read_text().split("\0")[:-1] for file in files]
        for file in files:
            file.unlink()
        return found


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of work, with sound, and what one process makes of it."""
    folder = tmp_path / "data"
    (folder / "audio").mkdir(parents=True)
    for number in range(12):
        tone(folder / "audio" / f"{number}.wav", seconds=1)
    monkeypatch.chdir(folder)
    assert guarded(app, ["spectrograms", "audio", "one", "--quiet"]) == 0
    return folder


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and ".mgrkit" not in path.parts
    }


def slurm(played: Played) -> None:
    script = FOLDER / "slurm-shard.sh"
    first, last = map(int, re.findall(r"--array=(\d+)-(\d+)\n", script.read_text())[0])
    for number in range(first, last + 1):
        here = {"SLURM_ARRAY_TASK_ID": number, "SLURM_CPUS_PER_TASK": 4}
        assert played.run(["bash", script], **here) == 0
    assert played.run(["bash", FOLDER / "slurm-merge.sh"]) == 0


def job(name: str) -> tuple[dict[str, Any], list[str]]:
    """The spec of a Job, and the command of its pods."""
    spec = yaml.safe_load((FOLDER / name).read_text())["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (mount,) = container["volumeMounts"]
    (volume,) = spec["template"]["spec"]["volumes"]
    assert mount["name"] == volume["name"]
    assert container["workingDir"] == mount["mountPath"]
    return spec, [*container["command"], *container.get("args", [])]


def kubernetes(played: Played) -> None:
    spec, command = job("kubernetes-shards.yaml")
    assert spec["completionMode"] == "Indexed"
    for index in range(spec["completions"]):
        assert played.run(command, JOB_COMPLETION_INDEX=index) == 0
    assert played.run(job("kubernetes-merge.yaml")[1]) == 0


def ssh(played: Played) -> None:
    hosts = ["alice", "bob", "carol"]
    assert played.run(["bash", FOLDER / "ssh-shards.sh", Path.cwd(), *hosts]) == 0
    assert sorted((played.notes.parent / "hosts").read_text().split()) == hosts


@pytest.mark.parametrize("launcher", [slurm, kubernetes, ssh])
def test_the_shares_make_the_tree_of_one_process(launcher: Any, played: Played, data: Path) -> None:
    launcher(played)
    calls = played.calls("mgrkit")
    assert {folder for folder, *_ in calls} == {str(data)}
    words = [words for _, *words in calls]
    shares = [call[call.index("--shard") + 1] for call in words[:-1]]
    assert sorted(shares) == [f"{n}/{len(shares)}" for n in range(1, len(shares) + 1)]
    assert [guarded(app, call) for call in words] == [0] * len(words)
    assert words[-1] == ["merge", "pictures"]
    assert tree(data / "pictures") == tree(data / "one")


def test_a_pod_whose_files_failed_is_not_started_again(played: Played) -> None:
    _, command = job("kubernetes-shards.yaml")
    ends = [played.run(command, JOB_COMPLETION_INDEX=0, EXITS=code) for code in (0, 1, 2, 3)]
    assert [end == 0 for end in ends] == [True, True, False, False]


def options(command: list[str]) -> dict[str, Any]:
    """What Dask understands of a call of it."""
    from distributed.cli import dask_scheduler, dask_worker

    program: Any = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[command[0]]
    found: dict[str, Any] = program.make_context(command[0], command[1:]).params
    return found


def test_ssh_starts_workers_of_one_thread(played: Played, data: Path) -> None:
    pytest.importorskip("distributed")
    (data / "cluster.json").write_text("of a scheduler that is gone")
    assert played.run(["bash", FOLDER / "ssh-workers.sh", data, 16, "alice", "bob"]) == 0
    assert not (data / "cluster.json").exists()
    calls = played.calls("dask")
    assert {folder for folder, *_ in calls} == {str(data)}
    assert sorted(command[1] for command in calls) == ["scheduler", "worker", "worker"]
    for _, *command in calls:
        asked = options(command)
        assert asked["scheduler_file"] == "cluster.json"
        if command[0] == "worker":
            assert (asked["nthreads"], asked["n_workers"], asked["nanny"]) == (1, "16", True)


def test_the_jobs_of_dask_jobqueue_end_with_the_command(
    played: Played, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dask_jobqueue.py").write_text(JOBQUEUE)
    asked = ["mgrkit", "spectrograms", "audio", "pictures"]
    command = [sys.executable, FOLDER / "jobqueue.py", *asked]
    assert played.run(command, PYTHONPATH=tmp_path, EXITS=3) == 3
    assert capfd.readouterr().out == "closed\n"
    ((_, *words),) = played.calls("mgrkit")
    assert words == ["spectrograms", "audio", "pictures", "--cluster", "tcp://127.0.0.1:9"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def test_the_page_shows_each_file() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert len(files) == 7
    for path in files:
        assert path.read_text() in blocks(LANGUAGES[path.suffix]), path.name


def test_dask_knows_what_the_page_types() -> None:
    pytest.importorskip("distributed")
    lines = [re.split("[#&]", line)[0] for block in blocks("bash") for line in block.splitlines()]
    typed = [line.split()[1:] for line in lines if line.startswith("dask ")]
    asked = {command[0]: options(command) for command in typed}
    assert asked["worker"]["nthreads"] == 1
    assert "scheduler" in asked
    assert options(["scheduler", "--protocol", "tls"])["protocol"] == "tls"


def test_dask_reads_the_settings_for_tls() -> None:
    pytest.importorskip("distributed")
    import dask.config
    from distributed.security import Security

    (settings,) = [yaml.safe_load(block) for block in blocks("yaml") if "distributed:" in block]
    with dask.config.set(dask.config.merge(dask.config.config, settings)):
        security = Security()
    assert security.require_encryption
    assert security.tls_ca_file == "/etc/dask/ca.pem"
    for role in ("scheduler", "worker", "client"):
        assert getattr(security, f"tls_{role}_cert") == "/etc/dask/one.pem"
        assert getattr(security, f"tls_{role}_key") == "/etc/dask/one.key"
