"""Out-of-fold predictions of a network, stopped and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from mgrkit_neural import resuming

from mgrkit.classifiers import Run, load_bundle
from mgrkit.commands.spectrograms import SpectrogramsSettings as Drawing
from mgrkit.commands.spectrograms import spectrograms
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import Stopped
from mgrkit.frontend import front_end
from mgrkit.synthetic.collection import write_collection


def test_a_network_stopped_in_its_third_fold_goes_on_to_the_same_bytes(
    tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resuming, "EVERY", 0.0)
    write_collection(tmp_path / "audio", songs=5, artists=5, seconds=0.5)
    spectrograms(Drawing(front_end(n_mels=16)), [tmp_path / "audio"], tmp_path / "pictures")
    small = {"epochs": 1, "batch": 4, "width": 2, "views": 1}
    asked = TrainSettings(parameters=small, folds=5, device="cpu")
    whole, out = tmp_path / "whole.safetensors", tmp_path / "m.safetensors"
    train("cnn", tmp_path / "pictures", whole, asked)
    told: list[str] = []
    real = Run.check

    def check(self: Run) -> None:
        told.append(self.folder.name if self.folder else "")
        if stops and told.count("fold2") == 2:
            raise Stopped("ended")
        real(self)

    stops = True
    monkeypatch.setattr(Run, "check", check)
    with pytest.raises(Stopped):
        train("cnn", tmp_path / "pictures", out, asked)
    stops = False
    told.clear()
    epochs = {
        name: (tmp_path / "m.run" / name / "metrics.csv").stat() for name in ("fold0", "fold1")
    }
    train("cnn", tmp_path / "pictures", out, asked)
    for name, before in epochs.items():
        assert (tmp_path / "m.run" / name / "metrics.csv").stat() == before, "not fit again"
        assert told.count(name) <= 1
    assert told.count("fold2") > 1
    assert out.read_bytes() == whole.read_bytes()
    held_out = load_bundle(out).held_out
    assert held_out
    assert set(held_out.folds.tolist()) == set(range(5))
