#!/usr/bin/env bash
# librosa takes a constant-Q transform that is given to it for one of 36 bins an octave, in silence.
#
# Scripts compute the transform once and give it to several features, as FMA's does: cqt() makes 12
# bins an octave unless it is told otherwise, chroma_cqt(C=...) and chroma_cens(C=...) suppose 36.
# One expects an error for a shape that does not fit, or the chroma of the notes. The 84 bins of seven
# octaves are folded as two and a third octaves instead: the A of 440 Hz is told to be a D sharp, and
# nothing is raised or warned of. Both have to be told bins_per_octave=12. Librosa 0.5, for which that
# script was written, had 12 for both.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q librosa==0.11.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import warnings

warnings.simplefilter("error")
import librosa
import numpy as np

NOTES = ["C", "C sharp", "D", "D sharp", "E", "F", "F sharp", "G", "G sharp", "A", "A sharp", "B"]
RATE = 22_050
time = np.arange(5 * RATE) / RATE
sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
transform = np.abs(librosa.cqt(sound, sr=RATE))
print("librosa", librosa.__version__, "a transform of", transform.shape[0], "bins for 7 octaves")

told = {}
for name in ("chroma_cqt", "chroma_cens"):
    feature = getattr(librosa.feature, name)
    for words in ({}, {"bins_per_octave": 12}):
        chroma = feature(C=transform, n_octaves=7, **words)
        told[name, bool(words)] = NOTES[chroma.mean(axis=1).argmax()]
        print(f"{name}(C=..., {words}): {told[name, bool(words)]}")
    assert told[name, False] == "D sharp", told
    assert told[name, True] == "A", told

# Seen:
#   librosa 0.11.0 a transform of 84 bins for 7 octaves
#   chroma_cqt(C=..., {}): D sharp
#   chroma_cqt(C=..., {'bins_per_octave': 12}): A
#   chroma_cens(C=..., {}): D sharp
#   chroma_cens(C=..., {'bins_per_octave': 12}): A
PYTHON
