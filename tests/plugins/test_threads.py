"""In a forked process torch would wait for threads that are not there: it is refused instead."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from tests.cli.test_commands import tone
from tests.plugins.made_checkpoint import made_arrays

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
]

CODE = """
import multiprocessing
import mgrkit, torch
import numpy as np
from mgrkit_neural.cnn import CNN
from mgrkit_pretrained.musicnn import Tags

in_numpy = CNN.numpy_network
del CNN.numpy_network  # as the network of a third party, which has it in torch only

def child(call, threads, told):
    torch.set_num_threads(threads)
    try:
        told.send(call())
    except Exception as error:
        told.send(f"{type(error).__name__}: {error}")

def forked(call, threads):
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(call, threads, theirs))
    process.start()
    said = ours.recv() if ours.poll(60) else "it hangs"
    process.kill()
    process.join()
    return said

def told():
    return mgrkit.load("cnn").predict("a.wav")["genre"]

def heard():
    ears = Tags("ears.safetensors", "cpu")
    return str(ears.embed([ears.prepare(np.sin(np.arange(80_000, dtype=np.float32)))])[0].sum())

torch.set_num_threads(2)
print(forked(told, 2))
model = mgrkit.load("cnn")
print(model.predict("a.wav")["genre"])
print(forked(lambda: model.predict("a.wav")["genre"], 2))
print(forked(told, 2))
print(forked(lambda: model.predict("a.wav")["genre"], 1))
print(heard())
print(forked(heard, 2))
print(mgrkit.load("svm").predict("a.wav")["genre"])
print(forked(lambda: mgrkit.load("svm").predict("a.wav")["genre"], 2))
CNN.numpy_network = in_numpy
print(told())
print(forked(told, 2))
"""


def test_a_fork_of_a_process_that_has_predicted_is_told(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", seconds=6)
    save_file(made_arrays(), tmp_path / "ears.safetensors")
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    first, here, given, loaded, alone, ears, ears_forked, *others = done.stdout.splitlines()
    assert first == here == alone, "before torch's threads begin, and on one thread, it works"
    for told in (given, loaded):
        assert told.startswith("RunError: torch cannot compute in this process: it was forked")
        assert "get_context('spawn')" in told
    assert ears == ears_forked, "on a CPU musicnn computes on one thread"
    svm, svm_forked, cnn, cnn_forked = others
    assert (svm, cnn) == (svm_forked, cnn_forked), "what needs no torch works on"
    assert cnn == here
