"""Both commands as a person types them: what they print, what they leave, how they end."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.chatter import Chatter
from mgrkit.cli.terminal.errors import guarded

ROOT = Path(__file__).parent.parent.parent


def tone(path: Path, seconds: float = 0.5, level: float = 0.3, hz: float = 440.0) -> Path:
    """A sine as a 16-bit WAV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(round(22050 * seconds)) / 22050
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((32767 * level * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes())
    return path


def mgrkit(*words: object) -> int:
    return guarded(app, [str(word) for word in words])


def table(out: Path) -> list[dict[str, str]]:
    with (out / "tracks.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def files(out: Path) -> set[str]:
    return {
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and ".mgrkit" not in path.parts
    }


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with three tones of two genres in ``audio``."""
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "audio" / "high" / "a.wav", hz=2000)
    tone(tmp_path / "audio" / "high" / "b.wav", hz=3000)
    tone(tmp_path / "audio" / "low" / "c.wav", hz=200)
    return tmp_path / "audio"


def test_both_commands_without_arguments(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert mgrkit("augment") == 0
    assert mgrkit("spectrograms", "--workers", 16) == 0
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "3 made" in captured.err
    assert "6 made" in captured.err
    assert files(audio.parent / "noisy") == {
        "high/a.white_10dB_1.wav", "high/b.white_10dB_1.wav", "low/c.white_10dB_1.wav",
        "tracks.csv",
    }  # fmt: skip
    rows = {row["path"]: row for row in table(audio.parent / "spectrograms")}
    row = rows["low/c.white_10dB_1.png"]
    assert (row["genre"], row["parent"]) == ("low", "low/c.wav")
    assert (row["source"], row["noise"]) == ("low/c.white_10dB_1.wav", "white")


def test_json_is_one_object_on_stdout(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (audio / "bad.wav").write_bytes(b"no sound")
    assert mgrkit("augment", "--json", "--quiet") == 1
    captured = capfd.readouterr()
    summary = json.loads(captured.out)
    seconds = summary.pop("seconds")
    assert seconds > 0
    assert summary == {
        "command": "augment", "out": "noisy", "table": "noisy/tracks.csv", "made": 3, "kept": 0,
        "failed": 1, "warned": 0, "reasons": {"not-audio": 1}, "ignored": {}, "deleted": 0,
        "warnings": [], "exit_code": 1,
    }  # fmt: skip
    assert "bad.wav: not-audio" in captured.err, "failures are told even when quiet"


def test_tables_and_journals_say_what_power_an_snr_is_of(audio: Path, capfd) -> None:
    """Copies whose SNR counted what cannot be heard are not mixed with those of today."""
    assert mgrkit("augment") == 0
    assert {row["power"] for row in table(audio.parent / "noisy")} == {"above 20 Hz"}
    journal = audio.parent / "noisy" / ".mgrkit" / "journal" / "0.jsonl"
    message = ',"SNR":"of power above 20 Hz"'
    assert message in journal.read_text()
    journal.write_text(journal.read_text().replace(message, ""))
    capfd.readouterr()
    assert mgrkit("augment") == 2
    assert "OUT was made with other settings: no SNR of power above 20 Hz" in (
        capfd.readouterr().err
    )
    assert mgrkit("augment", "--replace") == 0


@pytest.mark.parametrize("bad", [10, 12])
def test_after_ten_failures_the_table_has_the_others(audio: Path, capfd, bad: int) -> None:
    for number in range(bad):
        (audio / f"bad{number}.wav").write_bytes(b"no sound")
    assert mgrkit("spectrograms", "-q") == 1
    error = capfd.readouterr().err
    assert error.count(": not-audio") == 10
    assert error.count("more are in the table\n") == (bad > 10)
    assert sum(row["status"] == "failed" for row in table(audio.parent / "spectrograms")) == bad


def test_quiet_says_nothing_when_all_is_well(audio: Path, capfd) -> None:
    assert mgrkit("spectrograms", "-q") == 0
    assert capfd.readouterr() == ("", "")


def test_again_keeps_and_more_adds(audio: Path, capfd) -> None:
    mgrkit("augment")
    assert mgrkit("augment", "--snr", 10, "--snr", 0, "--noise", "pink", "--noise", "white") == 0
    assert "9 made, 3 kept" in capfd.readouterr().err
    assert len(table(audio.parent / "noisy")) == 12


def test_other_settings_are_refused_and_replaced(audio: Path, capfd) -> None:
    mgrkit("augment")
    assert mgrkit("augment", "--seed", 1) == 2
    assert "OUT was made with other settings: --seed 0 instead of 1" in capfd.readouterr().err
    assert mgrkit("augment", "--seed", 1, "--replace", "--snr", 5) == 0
    assert "3 made, 3 deleted" in capfd.readouterr().err
    assert mgrkit("spectrograms", "noisy", "noisy2", "--kind", "stft") == 0
    assert mgrkit("spectrograms", "noisy", "noisy2") == 2
    assert "kind stft" in capfd.readouterr().err


def test_a_single_file_and_a_list(audio: Path, capfd, monkeypatch) -> None:
    assert mgrkit("spectrograms", "audio/low/c.wav", "one") == 0
    assert files(audio.parent / "one") == {"c.png", "tracks.csv"}
    (audio / "low" / "c.bin").write_bytes((audio / "low" / "c.wav").read_bytes())
    Path("list.txt").write_text("low/c.bin\n\nhigh/../high/a.wav\n")
    assert mgrkit("spectrograms", "audio", "some", "--files-from", "list.txt") == 0
    assert files(audio.parent / "some") == {"low/c.png", "high/a.png", "tracks.csv"}
    Path("here.txt").write_text("audio/high/b.wav\n")
    assert mgrkit("augment", "--files-from", "here.txt") == 0
    assert files(audio.parent / "noisy") == {"audio/high/b.white_10dB_1.wav", "tracks.csv"}
    Path("list.txt").write_text("../elsewhere.wav\n")
    assert mgrkit("augment", "audio", "x", "--files-from", "list.txt") == 2
    assert "lies outside" in capfd.readouterr().err
    assert mgrkit("augment", "audio", "x", "--files-from", "nowhere") == 3


def test_sources_of_one_name_stay_apart(audio: Path) -> None:
    shutil.copy(audio / "low" / "c.wav", audio / "low" / "c.aiff")
    assert mgrkit("spectrograms") == 0
    assert {"low/c.wav.png", "low/c.aiff.png"} <= files(audio.parent / "spectrograms")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["augment", "nowhere"], 3, "there is no nowhere (name a folder or a sound file"),
        (["augment", "audio", "audio"], 2, "OUT is SRC: audio (give another folder as OUT)"),
        (["augment", "audio/low", "audio"], 2, "SRC lies inside OUT"),
        (["augment", "audio", "audio/low/c.wav"], 2, "OUT is a file"),
        (["augment", "--snr", "81"], 2, "--snr must be a number from -20 to 80, not '81'"),
        (["augment", "--snr", "-21"], 2, "from -20 to 80, not '-21'"),
        (["augment", "--snr", "nan"], 2, "--snr must be a number from -20 to 80, not 'nan'"),
        (["augment", "--noise", "pinc"], 2, "did you mean pink?"),
        (["augment", "--subtype", "PCM_8"], 2, "--subtype must be PCM_16, PCM_24, FLOAT"),
        (["augment", "--format", "mp3"], 2, "--format must be wav or flac, not 'mp3'"),
        (["augment", "--format", "flac", "--subtype", "FLOAT"], 2, "FLAC holds no float"),
        (["augment", "--copies", "0"], 2, "--copies"),
        (["augment", "--workers", "0"], 2, "--workers"),
        (["augment", "--noise", "empty"], 2, "no recordings in the folder empty"),
        (["spectrograms", "--kind", "cqtt"], 2, "--kind must be mel, stft, kaggle-images, mfcc"),
        (["spectrograms", "--cmap", "jet"], 2, "--cmap must be magma, viridis, grey"),
        (["spectrograms", "--n-fft", "3"], 2, "--n-fft must be a whole number from 16 to 65536"),
        (["spectrograms", "--fmax", "20000"], 2, "--fmin and --fmax must hold"),
        (["spectrograms", "--kind", "stft", "--n-mels", "64"], 2, "belongs to --kind mel"),
        (["spectrograms", "--piece-seconds", "0.01"], 2, "--piece-seconds must be from 0.0929"),
        (["spectrograms", "empty"], 3, "no sound files in empty (1 .txt passed over) (give"),
        (["spectrogram"], 2, "No such command 'spectrogram'"),
        (["spectrograms", "--worker", "2"], 2, "No such option: --worker"),
        (["augment", "-x.wav"], 2, "the file is ./-x.wav"),
    ],
)
def test_wrong_calls_end_in_one_line(audio: Path, capfd, words, code, text) -> None:
    (audio.parent / "empty").mkdir()
    (audio.parent / "empty" / "note.txt").touch()
    tone(audio.parent / "-x.wav")
    assert mgrkit(*words) == code
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("mgrkit: ")
    assert captured.err.count("\n") == 1
    assert text in captured.err
    assert {path.name for path in audio.parent.iterdir()} == {"audio", "empty", "-x.wav"}


def test_without_any_source_it_says_so(tmp_path: Path, capfd, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert mgrkit("spectrograms") == 3
    assert mgrkit("augment") == 3
    assert "neither a folder audio nor noisy here (give SRC)" in capfd.readouterr().err


def test_out_inside_the_source_is_left_out(audio: Path) -> None:
    assert mgrkit("augment", "audio", "audio/noisy") == 0
    assert mgrkit("augment", "audio", "audio/noisy") == 0
    assert len(table(audio / "noisy")) == 3


@pytest.mark.parametrize(
    "name",
    [
        "with space.wav",
        'quote\'s "x".wav',
        "\u00fcml\u00e4ut \u97f3.wav",
        "-dash.wav",
        "new\nline.wav",
        "%s{}[*].wav",
        "semi;colon,comma.wav",
    ],
)
def test_odd_names_go_through_both_commands(audio: Path, name: str) -> None:
    tone(audio / name)
    assert mgrkit("augment") == 0
    assert mgrkit("spectrograms") == 0
    stem = name.removesuffix(".wav")
    assert f"{stem}.white_10dB_1.png" in files(audio.parent / "spectrograms")
    assert name in {row["source"] for row in table(audio.parent / "spectrograms")}


def test_names_that_are_not_utf8_go_through(audio: Path) -> None:
    shutil.copy(audio / "low" / "c.wav", os.fsdecode(os.fsencode(audio) + b"/\xff.wav"))
    assert mgrkit("augment") == 0
    assert b"\xff.white_10dB_1.wav" in os.listdir(os.fsencode(audio.parent / "noisy"))
    assert mgrkit("augment") == 0


def test_names_of_255_bytes_are_rows(audio: Path, capfd) -> None:
    tone(audio / ("n" * 251 + ".wav"))
    assert mgrkit("spectrograms") == 0
    assert mgrkit("augment") == 1
    assert "name-too-long: the name would have more than 255" in capfd.readouterr().err
    tone(audio / ("m" * 251 + ".wav"), seconds=3)
    assert mgrkit("spectrograms", "audio", "pieces", "--piece-seconds", 0.2) == 1
    assert "name-too-long" in capfd.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_out_is_told(audio: Path, capfd) -> None:
    audio.parent.chmod(0o555)
    code = mgrkit("augment")
    audio.parent.chmod(0o755)
    assert code == 3
    assert "cannot write" in capfd.readouterr().err


def test_a_source_that_changes_between_runs_is_made_again(audio: Path, capfd) -> None:
    mgrkit("spectrograms")
    before = (audio.parent / "spectrograms" / "low" / "c.png").read_bytes()
    tone(audio / "low" / "c.wav", hz=300)
    assert mgrkit("spectrograms") == 0
    assert "1 made, 2 kept" in capfd.readouterr().err
    assert (audio.parent / "spectrograms" / "low" / "c.png").read_bytes() != before


def test_a_changed_noise_recording_is_noticed(audio: Path, capfd) -> None:
    tone(audio.parent / "hum.wav", seconds=1, hz=50)
    mgrkit("augment", "--noise", "hum.wav")
    assert mgrkit("augment", "--noise", "hum.wav") == 0
    assert "3 kept" in capfd.readouterr().err
    tone(audio.parent / "hum.wav", seconds=1, hz=60)
    assert mgrkit("augment", "--noise", "hum.wav") == 0
    assert "3 made" in capfd.readouterr().err
    tone(audio.parent / "hum.wav", seconds=1, level=0)
    assert mgrkit("augment", "--noise", "hum.wav") == 3
    assert "silent" in capfd.readouterr().err


def test_two_noises_of_one_name_are_refused(audio: Path, capfd) -> None:
    tone(audio.parent / "white.wav", seconds=1)
    assert mgrkit("augment", "--noise", "white.wav", "--noise", "white") == 2
    assert "2 noises are called 'white'" in capfd.readouterr().err


def test_long_tracks_become_pieces(audio: Path) -> None:
    tone(audio / "long.wav", seconds=76)
    tone(audio / "forty.wav", seconds=44)
    assert mgrkit("spectrograms") == 0
    made = files(audio.parent / "spectrograms")
    assert {"long.000.png", "long.001.png", "long.002.png", "forty.png"} <= made
    rows = {row["path"]: row for row in table(audio.parent / "spectrograms")}
    assert rows["long.002.png"]["start"] == "60.0"
    assert rows["long.002.png"]["seconds"] == "16.0"
    assert mgrkit("spectrograms", "audio/long.wav", "cut", "--piece-seconds", 30) == 0
    assert files(audio.parent / "cut") == {"long.000.png", "long.001.png", "tracks.csv"}


def test_a_silent_piece_fails_alone(audio: Path, capfd) -> None:
    half = np.zeros(22050 * 60, "<i2")
    half[: 22050 * 30] = 9000 * np.sin(np.arange(22050 * 30) / 9)
    with wave.open(os.fspath(audio / "half.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes(half.tobytes())
    assert mgrkit("spectrograms") == 1
    rows = {row["path"]: row for row in table(audio.parent / "spectrograms")}
    assert rows["half.000.png"]["status"] == "ok"
    assert rows["half.001.png"]["reason"].startswith("silent: ")
    assert "half.001.png" not in files(audio.parent / "spectrograms")


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["augment", "-h"],
        ["spectrograms", "--help"],
        ["features", "-h"],
        ["train", "-h"],
        ["compare", "-h"],
        ["predict", "-h"],
        ["models", "-h"],
        ["models", "fetch", "--help"],
    ],
)
def test_help_fits_eighty_columns_and_gives_examples(words: list[str], monkeypatch) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
    )  # fmt: skip
    assert result.returncode == 0
    assert result.stderr == ""
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "  mgrkit " in result.stdout


def test_version_and_module(capfd) -> None:
    assert mgrkit("--version") == 0
    assert capfd.readouterr().out.startswith("mgrkit 0.")


def test_decoders_cannot_print_into_the_terminal(audio: Path, capfd, data: Path) -> None:
    shutil.copy(data / "hostile" / "garbage.mp3", audio)
    assert mgrkit("spectrograms", "--json") == 1
    captured = capfd.readouterr()
    warnings = json.loads(captured.out)["warnings"]
    assert any("Illegal Audio-MPEG-Header" in warning for warning in warnings)
    assert "\nNote:" not in captured.err
    shutil.rmtree(audio.parent / "spectrograms")
    mgrkit("spectrograms", "--debug")
    assert "Illegal Audio-MPEG-Header" in capfd.readouterr().err


def test_recordings_of_one_name_from_two_places_stay_apart(audio: Path, capfd) -> None:
    tone(audio.parent / "n1" / "hum.wav", seconds=1, hz=50)
    tone(audio.parent / "n2" / "hum.wav", seconds=1, hz=60)
    assert mgrkit("augment", "--noise", "n1/hum.wav") == 0
    before = (audio.parent / "noisy" / "low" / "c.hum_10dB_1.wav").read_bytes()
    assert mgrkit("augment", "--noise", "n2/hum.wav") == 1
    assert "coincides" in capfd.readouterr().err
    assert (audio.parent / "noisy" / "low" / "c.hum_10dB_1.wav").read_bytes() == before


def test_two_sources_with_one_name_stay_apart(audio: Path) -> None:
    assert mgrkit("augment", "audio/high", "out") == 0
    tone(audio / "low" / "a.wav")
    assert mgrkit("augment", "audio/low", "out") == 1
    rows = {(row["path"], row["status"]) for row in table(audio.parent / "out")}
    assert rows == {
        ("a.white_10dB_1.wav", "ok"), ("b.white_10dB_1.wav", "ok"),
        ("c.white_10dB_1.wav", "ok"), ("a.white_10dB_1.wav", "failed"),
    }  # fmt: skip


def test_empty_arguments_are_not_the_current_folder(audio: Path, capfd) -> None:
    assert mgrkit("spectrograms", "audio", "") == 2
    assert "an argument is empty" in capfd.readouterr().err


def test_errors_are_json_too(audio: Path, capfd) -> None:
    assert mgrkit("spectrograms", "nowhere", "--json") == 3
    answer = json.loads(capfd.readouterr().out)
    assert answer["exit_code"] == 3
    assert "there is no nowhere" in answer["error"]


def test_the_out_of_another_command_is_refused(audio: Path, capfd) -> None:
    mgrkit("augment")
    assert mgrkit("spectrograms", "audio", "noisy") == 2
    assert "OUT holds what mgrkit augment made (give another OUT)" in capfd.readouterr().err
    before = files(audio.parent / "noisy")
    assert mgrkit("spectrograms", "audio", "noisy", "--replace") == 2, "--replace is no excuse"
    assert files(audio.parent / "noisy") == before


def test_the_table_is_utf8_whatever_the_names(audio: Path) -> None:
    shutil.copy(audio / "low" / "c.wav", os.fsdecode(os.fsencode(audio) + b"/bad\xff.wav"))
    (audio / "tracks.csv").write_text("path,group\nbad\\udcff.wav,somebody\nghost.wav,x\n")
    assert mgrkit("augment") == 0
    rows = {row["path"]: row for row in table(audio.parent / "noisy")}
    assert rows["bad\\udcff.white_10dB_1.wav"]["group"] == "somebody"


def test_rows_of_a_table_that_name_nothing_are_told(audio: Path, capfd) -> None:
    (audio / "tracks.csv").write_text("path,genre,noise\nhigh/a.wav,x,y\nghost.wav,x,y\n")
    assert mgrkit("augment") == 0
    error = capfd.readouterr().err
    assert "1 of 2 rows name a sound file here" in error
    assert "noise give way to this command's columns" in error


def shell(audio: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run ``M`` in a shell, from the folder that holds ``audio``."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("M ", f"{sys.executable} -m mgrkit ", 1)],
        capture_output=True, text=True, cwd=audio.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("M spectrograms audio out --json >/dev/full", 3),
        ("M spectrograms audio out --json >&-", 3),
        ("M spectrograms audio out --json | true", 141),
        ("M spectrograms nowhere --json >/dev/full", 3),
        ("M spectrograms nowhere --json | true", 3),
        ("M spectrograms --workers 0 --json >/dev/full", 2),
        ("M spectrograms audio out 2>&-", 0),
        ("M spectrograms --files-from - <&-", 3),
    ],
)
def test_streams_that_take_or_give_nothing(audio: Path, line: str, code: int) -> None:
    result = shell(audio, line)
    assert result.returncode == code
    assert "Traceback" not in result.stderr
    assert "AttributeError" not in result.stderr
    assert (audio.parent / "out" / "tracks.csv").exists() == ("audio out" in line)


@pytest.mark.parametrize("words", [["augment", ""], ["augment", "--bogus"], ["bogus"]])
def test_wrong_calls_are_json_too(audio: Path, capfd, words) -> None:
    assert mgrkit(*words, "--json") == 2
    assert json.loads(capfd.readouterr().out)["exit_code"] == 2


def test_cut_files_are_drawn_when_allowed_and_counted(audio: Path, capfd) -> None:
    """A run without the option comes first; the same with it does only the rest."""
    whole = (audio / "high" / "a.wav").read_bytes()
    (audio / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert mgrkit("spectrograms") == 1
    assert "cut.wav: truncated" in capfd.readouterr().err
    assert mgrkit("spectrograms", "--allow-truncated", "--json") == 0
    captured = capfd.readouterr()
    assert "warning: cut.wav: truncated: the header promises" in captured.err
    assert "1 of them with a warning" in captured.err
    result = json.loads(captured.out)
    assert (result["made"], result["warned"], result["failed"]) == (1, 1, 0)
    (row,) = (row for row in table(Path("spectrograms")) if row["source"] == "cut.wav")
    assert row["status"] == "ok"
    assert row["reason"].startswith("truncated: ")
    assert mgrkit("spectrograms") == 0, "what was allowed once stands"


def test_a_decoders_words_name_the_files_that_were_in_work() -> None:
    chatter = Chatter()
    said = [
        ("alone", 1, "alone (while reading 1.mp3)"),
        ("Warning: Xing size off", 3, "Xing size off (while reading 1.mp3 or 2.mp3 or 3.mp3)"),
        (
            "[src/libmpg123/id3.c:id3_to_utf8():39] warning: odd tag", 6,
            "libmpg123: odd tag (while reading 1.mp3 or 2.mp3 or 3.mp3 or 4.mp3 or 2 more)",
        ),
        ("[src/libmpg123/layer3.c:do():1] error: bad", 0, "libmpg123: error: bad"),
    ]  # fmt: skip
    chatter.start()
    for number, (line, files, _) in enumerate(said):
        chatter.working = lambda files=files: [f"/a/{n + 1}.mp3" for n in range(files)]
        os.write(2, f"{line}\n".encode())
        while len(chatter._lines) == number:
            time.sleep(0.01)
    assert chatter.stop() == [text for _, _, text in said]


def test_lists_with_a_byte_order_mark_or_nul_characters(audio: Path, capfd) -> None:
    names = ["high/a.wav", "low/c.wav"]
    Path("bom.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(names).encode())
    Path("nul.txt").write_bytes("\0".join([*names, ""]).encode())
    Path("wide.txt").write_bytes("\n".join(names).encode("utf-16"))
    for number, words in enumerate((["--files-from", "bom.txt"], ["--files-from0", "nul.txt"])):
        assert mgrkit("spectrograms", "audio", f"out{number}", *words) == 0
        assert {row["source"] for row in table(Path(f"out{number}"))} == set(names)
    capfd.readouterr()
    assert mgrkit("spectrograms", "audio", "out2", "--files-from", "wide.txt") == 2
    assert "wide.txt holds NUL characters, as UTF-16 does" in capfd.readouterr().err


def test_lists_name_files_whatever_is_in_their_names(audio: Path) -> None:
    names = ["line\u2028paragraph.wav", "next\x85line.wav", "form\x0cfeed.wav"]
    for name in (*names, " "):
        shutil.copy(audio / "low" / "c.wav", audio / name)
    Path("lines.txt").write_bytes("\r\n".join([*names, ""]).encode())
    assert mgrkit("spectrograms", "audio", "lines", "--files-from", "lines.txt") == 0
    assert {row["source"] for row in table(Path("lines"))} == set(names)
    Path("nul.txt").write_bytes("\0".join([*names, " ", ""]).encode())
    assert mgrkit("spectrograms", "audio", "nuls", "--files-from0", "nul.txt") == 0
    assert {row["source"] for row in table(Path("nuls"))} == {*names, " "}


def test_other_suffixes_and_what_is_passed_over(audio: Path, capfd) -> None:
    (audio / "cover.jpg").write_bytes(b"")
    (audio / "low" / "c.wav").rename(audio / "low" / "c.xyz")
    assert mgrkit("spectrograms", "--suffix", "xyz", "--list-ignored", "--json") == 0
    captured = capfd.readouterr()
    result = json.loads(captured.out)
    assert result["made"] == 3
    assert result["ignored"] == {".jpg": 1}
    assert result["ignored_files"] == [{"path": "audio/cover.jpg", "why": ".jpg"}]
    assert "passed over: audio/cover.jpg (.jpg)\n" in captured.err


def test_other_suffixes_count_in_a_folder_of_noises(audio: Path) -> None:
    tone(audio.parent / "street" / "a.wav")
    (audio.parent / "street" / "a.wav").rename(audio.parent / "street" / "a.xyz")
    assert mgrkit("augment", "--noise", "street") == 2
    assert mgrkit("augment", "--noise", "street", "--suffix", "xyz") == 0
    assert {row["recording"] for row in table(audio.parent / "noisy")} == {"a.xyz"}


def test_what_is_passed_over_is_named_as_the_caller_would(audio: Path, capfd) -> None:
    tone(audio.parent / "noisy" / "d.wav")
    for folder in ("audio", "noisy"):
        (audio.parent / folder / "cover.jpg").write_bytes(b"")
    assert mgrkit("spectrograms", "-q", "--list-ignored", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    paths = [one["path"] for one in result["ignored_files"]]
    assert paths == ["audio/cover.jpg", "noisy/cover.jpg"]
    assert result["ignored"] == {".jpg": 2}
