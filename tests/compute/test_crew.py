"""A crew of workers: who is in it, who dies, who is told to stop, and what goes on."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from mgrkit.compute import crew as module
from mgrkit.compute.cluster import Cluster
from mgrkit.compute.crew import gathered
from mgrkit.compute.crewhand import Question, answer, version
from mgrkit.errors import RunError, Stopped
from tests.compute.foreign_cluster import ROOT, foreign
from tests.compute.toy_work import Toy

HERE = Question("", {"numpy": version("numpy")}, ("numpy",))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with foreign(tmp_path_factory.mktemp("theirs"), 2) as (address, _):
        yield Cluster.of(address)


@dataclass
class Seen:
    """What came of jobs."""

    results: dict[str, Any] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def done(
    cluster: Cluster,
    folder: Path,
    jobs: list[str],
    *,
    question: Question = HERE,
    stopped: Callable[[], bool] = lambda: False,
    within: Callable[[Any], Any] = lambda client: None,
    whole: int = 0,
) -> Seen:
    seen = Seen()

    async def going() -> None:
        if whole:  # whoever died in the test before may not be back yet
            async with cluster.connected() as client:
                await client.wait_for_workers(whole, timeout=60)
        asked = replace(question, folder=question.folder or str(folder))
        async with gathered(cluster, asked, Toy(folder), seen.said.append) as crew:
            left = iter(jobs)
            beside = asyncio.ensure_future(_awaited(within(crew._client)))
            await crew.work(
                lambda: next(left, None),
                lambda job, found: seen.results.update({job: found}),
                stopped=stopped,
                heard=lambda *words: seen.heard.append(words),
            )
            await beside

    asyncio.run(going())
    return seen


async def _awaited(found: Any) -> None:
    if asyncio.iscoroutine(found):
        await found


def test_each_worker_has_one_job_at_a_time(theirs: Cluster, tmp_path: Path) -> None:
    jobs = [*(f"does {n}" for n in range(20)), "reports x"]
    seen = done(theirs, tmp_path, jobs, whole=2)
    assert {job: name for job, (_, name) in seen.results.items()} == {
        job: job.split()[1] for job in jobs
    }
    assert len({pid for pid, _ in seen.results.values()}) == 2
    assert seen.said == []
    assert sorted(Toy(tmp_path).log) == sorted(jobs), "each once"
    assert [path.name for path in tmp_path.iterdir()] == ["log"], "no probe is left"


def test_it_is_told_how_far_a_job_is(theirs: Cluster, tmp_path: Path) -> None:
    async def soon(client: Any) -> None:
        await asyncio.sleep(0.3)

    seen = done(theirs, tmp_path, ["reports x", "deaf y"], within=soon)
    assert seen.heard == [("reports x", 3, 10, {"loss": 0.5})] or seen.heard == []
    assert seen.heard


def test_what_fails_is_what_it_gave_and_the_others_go_on(theirs: Cluster, tmp_path: Path) -> None:
    seen = done(theirs, tmp_path, ["fails one", "does two"])
    error = seen.results["fails one"]
    assert isinstance(error, RunError)
    assert (error.message, error.hint) == ("one fell over", "mend it")
    assert seen.results["does two"][1] == "two"


def test_a_mistake_of_ours_is_raised_and_nothing_stays(theirs: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError, match="one"):
        done(theirs, tmp_path, ["waits two", "breaks one"], whole=2)
    end = time.monotonic() + 10
    while not (tmp_path / "stopped").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "stopped").exists(), "what was at work was taken back"


def test_who_dies_in_a_job_is_replaced_and_the_job_done_once_more(
    theirs: Cluster, tmp_path: Path
) -> None:
    jobs = ["dies-once a", *(f"does {n}" for n in range(4))]
    seen = done(theirs, tmp_path, jobs)
    assert seen.results["dies-once a"][1] == "a"
    assert len(seen.results) == 5
    assert sum("has died at work" in line for line in seen.said) == 1
    assert sorted(Toy(tmp_path).log) == sorted([*jobs, "dies-once a"])


def test_a_job_that_kills_two_has_failed_and_nobody_else_is_blamed(
    theirs: Cluster, tmp_path: Path
) -> None:
    jobs = ["dies a", *(f"does {n}" for n in range(4))]
    seen = done(theirs, tmp_path, jobs)
    error = seen.results.pop("dies a")
    assert isinstance(error, RunError)
    assert "died of it" in error.message
    assert len(seen.results) == 4
    assert sorted(Toy(tmp_path).log) == sorted([*jobs, "dies a"]), "Dask repeats nothing"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"versions": {"numpy": "1.0.0"}}, r"it has numpy \S+, here is 1\.0\.0"),
        ({"versions": {"nobody-has-it": "1"}}, "it has nobody-has-it not installed, here is 1"),
        ({"modules": ("nobody_has_it",)}, "nobody_has_it is not installed there"),
        ({"device": "cuda:77"}, "it has no device cuda:77"),
    ],
)
def test_who_lacks_something_is_left_out_with_the_reason(
    theirs: Cluster, tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RunError, match=f"no worker at .* can do it: {reason}") as caught:
        done(theirs, tmp_path, ["does x"], question=replace(HERE, **change))
    assert caught.value.exit_code == 3
    assert not (tmp_path / "log").exists()


def test_one_that_does_not_see_the_folder_is_left_out_and_the_other_works(
    theirs: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, blind = module.Crew._on, []

    async def on(self: Any, addresses: list[str], function: Any, *words: Any) -> Any:
        if function is answer and not blind:
            blind.extend(addresses)
            words = (replace(words[0], folder="/nowhere/at/all"), *words[1:])
        return await own(self, addresses, function, *words)

    monkeypatch.setattr(module.Crew, "_on", on)
    seen = done(theirs, tmp_path, ["does a", "does b", "deaf c"], whole=2)
    assert len({pid for pid, _ in seen.results.values()}) == 1
    [line] = seen.said
    assert blind[0] in line
    assert line.endswith("is left out: it does not see /nowhere/at/all")


def test_a_folder_of_the_same_name_elsewhere_is_another(tmp_path: Path) -> None:
    question = replace(HERE, folder=str(tmp_path))
    (tmp_path / "probe").write_text("one")
    assert answer(question, "probe", "two")[0] == f"its {tmp_path} is another folder"
    assert answer(question, "none", "two")[0] == f"it does not see {tmp_path}"
    assert answer(question, "probe", "one")[0] == ""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "probe").write_text("one")
    tmp_path.chmod(0o500)
    question = replace(HERE, folder=str(tmp_path))
    assert "it cannot write to" in answer(question, "probe", "one")[0]
    tmp_path.chmod(0o700)


def test_without_any_worker_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.5)
    with (
        foreign(tmp_path, 0) as (address, _),
        pytest.raises(RunError, match="there is no worker at"),
    ):
        done(Cluster.of(address), tmp_path, ["does x"])


def test_what_is_at_work_is_asked_to_stop_and_waited_for(theirs: Cluster, tmp_path: Path) -> None:
    def stopped() -> bool:
        return (tmp_path / "log").exists() and len(Toy(tmp_path).log) == 2

    seen = done(theirs, tmp_path, ["waits a", "deaf b", "does c"], stopped=stopped, whole=2)
    assert isinstance(seen.results["waits a"], Stopped)
    assert seen.results["deaf b"][1] == "b", "it does not ask, and was waited for"
    assert "does c" not in seen.results
    assert len(done(theirs, tmp_path, ["does a", "does b"]).results) == 2, "nothing stays asked"


CLIENT = """
import sys
from pathlib import Path
from mgrkit.compute.cluster import Cluster
from tests.compute.test_crew import done
done(Cluster.of(sys.argv[1]), Path(sys.argv[2]), ["waits a"])
"""


def test_what_a_killed_client_began_ends(theirs: Cluster, tmp_path: Path) -> None:
    words = [sys.executable, "-c", CLIENT, str(theirs), str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT) as process:
        end = time.monotonic() + 30
        while not (tmp_path / "log").exists() and time.monotonic() < end:
            time.sleep(0.02)
        process.kill()
    while not (tmp_path / "stopped").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "stopped").exists()


def test_without_its_scheduler_it_ends(tmp_path: Path) -> None:
    with foreign(tmp_path, 1) as (address, process):

        async def kill(client: Any) -> None:
            while not (tmp_path / "log").exists():
                await asyncio.sleep(0.02)
            process.kill()

        words = "lost the scheduler at .*the same command goes on, with --cluster or without"
        with pytest.raises(RunError, match=words):
            done(Cluster.of(address), tmp_path, ["waits a"], within=kill)


def test_workers_that_come_later_work_too(tmp_path: Path) -> None:
    with foreign(tmp_path, 0) as (address, _):
        code = (
            "import sys, asyncio\nfrom distributed import Worker\n"
            "async def main():\n"
            "    async with Worker(sys.argv[1], nthreads=1, dashboard=False):\n"
            "        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)\n"
            "asyncio.run(main())\n"
        )
        came: list[subprocess.Popen[str]] = []

        def come(client: Any) -> None:
            came.append(
                subprocess.Popen(
                    [sys.executable, "-c", code, address], cwd=ROOT, text=True,
                    stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
                )
            )  # fmt: skip

        seen = done(Cluster.of(address), tmp_path, ["does a", "does b"], within=come)
        assert {name for _, name in seen.results.values()} == {"a", "b"}
        for one in came:
            one.communicate("")
