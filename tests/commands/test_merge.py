"""``--shard`` and ``mgrkit merge`` as a person types them: the bytes of one run."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from tests.batch.test_engine import tree
from tests.cli.test_commands import mgrkit, tone


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with twelve tones, and a bad file, in ``audio``."""
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        tone(tmp_path / "audio" / f"g{number % 2}" / f"{number}.wav", hz=200 + 100 * number)
    (tmp_path / "audio" / "g0" / "bad.wav").write_text("no sound")
    return tmp_path / "audio"


CALLS = {
    "augment": ("augment", "audio", "{out}", "--copies", "2"),
    "spectrograms": ("spectrograms", "audio", "{out}"),
    "convert": ("data", "convert", "audio", "{out}", "--to", "flac"),
    "features": ("features", "audio", "{out}.csv"),
    "parquet": ("features", "audio", "{out}.parquet"),
}


def call(name: str, out: str, *more: str) -> int:
    return mgrkit(*(word.format(out=out) for word in CALLS[name]), *more)


def made(name: str, out: str) -> object:
    if name in ("features", "parquet"):
        return Path(f"{out}.{'csv' if name == 'features' else name}").read_bytes()
    return tree(Path(out))


@pytest.mark.parametrize("name", CALLS)
def test_shards_end_in_the_bytes_of_one_run(audio: Path, name: str) -> None:
    suffix = {"features": ".csv", "parquet": ".parquet"}.get(name, "")
    assert call(name, "whole") == 1, "for the bad file"
    codes = [call(name, "shared", "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert sorted(codes) == [0, 0, 1]
    for number in (1, 2, 3):
        call(name, f"part{number}", "--shard", f"{number}/3")
    assert mgrkit("merge", f"shared{suffix}") == 1, "for the bad file"
    assert mgrkit("merge", f"new{suffix}", *(f"part{n}{suffix}" for n in (1, 2, 3))) == 1
    assert made(name, "shared") == made(name, "whole")
    assert made(name, "new") == made(name, "whole")


def test_what_a_shard_and_a_merge_say(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call("spectrograms", "out", "--shard", "2/3", "--json")
    out, err = capfd.readouterr()
    assert err.splitlines()[-1].endswith("; mgrkit merge out writes the table")
    told = json.loads(out)
    assert (told["shard"], told["table"]) == ("2/3", None)
    assert mgrkit("merge", "out", "--json") == 1
    out, err = capfd.readouterr()
    assert "shard 1/3 has not come here" in err
    assert json.loads(out)["absent"] == ["1/3", "3/3"]


def test_a_shard_without_files_has_nothing_to_do(audio: Path) -> None:
    codes = [call("spectrograms", "out", "--shard", f"{n}/40") for n in range(1, 41)]
    assert codes.count(0) == 39
    assert mgrkit("merge", "out") == 1, "for the bad file"


def test_predictions_are_shared_out_too(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def predicted(*words: str) -> set[str]:
        mgrkit("predict", *words, "--model", "svm", "--csv", "--quiet")
        return {row["path"] for row in csv.DictReader(io.StringIO(capfd.readouterr().out))}

    files = [f"audio/g{number % 2}/{number}.wav" for number in range(12)]
    for words in (["audio"], files):
        shares = [predicted(*words, "--shard", f"{number}/2") for number in (1, 2)]
        assert not shares[0] & shares[1]
        assert shares[0] | shares[1] == predicted(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("spectrograms", "--shard", "0/4"), "--shard must be K/N"),
        (("spectrograms", "--shard", "5/4"), "--shard must be K/N"),
        (("spectrograms", "--shard", "1/4", "--replace"), "--shard takes no --replace"),
        (("merge", "audio"), "audio holds no run of mgrkit"),
        (("merge", "new", "audio"), "audio holds no run of mgrkit"),
        (("merge", "out", "out"), "out is named twice"),
        (("merge", "out", "other"), "were made with other settings"),
        (("merge", "quiet"), "shards 1/3 and 2/3 were asked for different things: --snr 0 instead"),
        (("merge", "sub"), "shards 1/3 and 2/3 were asked for different things: SRC"),
        (("merge", "checked.csv"), "checked.csv holds what mgrkit data check made"),
    ],
)
def test_bad_calls(
    audio: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    call("spectrograms", "out", "--shard", "1/3")
    call("spectrograms", "other", "--shard", "2/3", "--n-mels", "64")
    mgrkit("augment", "audio", "quiet", "--shard", "1/3", "--snr", "0")
    mgrkit("augment", "audio", "quiet", "--shard", "2/3", "--snr", "10")
    mgrkit("spectrograms", "audio", "sub", "--shard", "1/3")
    mgrkit("spectrograms", "audio/g0", "sub", "--shard", "2/3")
    mgrkit("data", "check", "audio", "checked.csv")
    capfd.readouterr()
    assert mgrkit(*words) == 2
    assert message in capfd.readouterr().err


def test_a_table_of_another_release_of_the_set_is_refused(
    audio: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call("features", "x", "--shard", "1/1")
    journal = next(Path(".mgrkit").rglob("1of1.jsonl"))
    journal.write_text(journal.read_text().replace('"revision":', '"revision":9'))
    capfd.readouterr()
    assert mgrkit("merge", "x.csv") == 2
    assert "another release" in capfd.readouterr().err


def test_a_part_that_was_deleted_is_named(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 3):
        call("spectrograms", "out", "--shard", f"{number}/3")
    shutil.rmtree("out/g1")
    capfd.readouterr()
    assert mgrkit("merge", "out", "--quiet") == 1
    err = capfd.readouterr().err
    assert err.count("and is not there as it was left") == 6
    assert "(shard " in err


@pytest.mark.parametrize("words", [("features", "out", "f.csv"), ("spectrograms", "out", "p")])
def test_shards_that_are_not_united_are_not_read(
    audio: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    call("augment", "out", "--shard", "1/2")
    capfd.readouterr()
    assert mgrkit(*words) == 3
    assert "out holds shard 1/2 of a run (mgrkit merge " in capfd.readouterr().err


@pytest.mark.torch
def test_nor_are_they_learnt_from(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call("augment", "out", "--shard", "1/2")
    capfd.readouterr()
    assert mgrkit("train", "svm", "out", "--out", "m.safetensors") == 3
    assert "out holds shard 1/2 of a run (mgrkit merge " in capfd.readouterr().err


def test_all_shards_see_the_layout_of_all_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for part in ("s1", "s2", "s3"):
        for genre in ("blues", "pop"):
            for number in range(3):
                tone(tmp_path / "audio" / part / genre / f"{part}{number}.wav", 0.2)
    assert call("spectrograms", "whole") == 0
    for number in range(1, 7):
        call("spectrograms", "out", "--shard", f"{number}/6")
    assert mgrkit("merge", "out") == 0
    assert tree(Path("out")) == tree(Path("whole"))
    assert ",blues," in Path("out/tracks.csv").read_text()
