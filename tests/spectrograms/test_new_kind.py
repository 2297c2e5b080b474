"""A new kind of spectrogram is a file and a line, as CONTRIBUTING.md says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgrkit.frontend import KINDS, FrontEnd, front_end
from mgrkit.frontend.kinds import Kind
from mgrkit.reports.figures import Canvas, draw_figure
from mgrkit.spectrograms import kinds, read_png, render, spectrum, write_png

FILE = '''"""Kind ``halves``: what lies below and above half of all frequencies."""

import numpy as np

from mgrkit.spectrograms.kinds import Code


def _project(power, frontend):
    half = power.shape[1] // 2
    return np.stack([power[:, :half].sum(1), power[:, half:].sum(1)], 1)


def _place(hertz, frontend):
    return float(hertz > frontend.sample_rate / 4)


CODE = Code(_project, _place)
'''


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    (tmp_path / "halves.py").write_text(FILE)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    monkeypatch.setitem(KINDS, "halves", Kind("halves", "low and high", bands=2))
    return front_end("halves")


def test_a_new_kind_is_a_file_and_a_line(halves: FrontEnd, tmp_path: Path) -> None:
    time = np.arange(44_100) / 22_050
    sound = np.sin(2 * np.pi * np.where(time < 1, 500, 9_000) * time).astype(np.float32)
    low, high = spectrum(sound, halves)
    assert low[10] > 1e3 * high[10]
    assert high[-10] > 1e3 * low[-10]

    image = render(sound, halves)
    assert image.values.shape == (2, 87)
    write_png(tmp_path / "picture.png", image, halves, "sound.wav")
    picture = read_png(tmp_path / "picture.png")
    assert np.array_equal(picture.values, image.values)
    assert picture.frontend == halves == FrontEnd.from_json(halves.to_json())
    draw_figure(tmp_path / "poster.png", image, halves, "sound.wav", Canvas(), seconds=2.0)
    assert (tmp_path / "poster.png").stat().st_size > 10_000
