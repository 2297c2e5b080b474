#!/usr/bin/env bash
# soundfile.read and SoundFile.read give two versions of one Opus file, 6.5 ms apart.
#
# An Ogg Opus file begins with the delay of its encoder, 312 samples at 48 kHz, which its header
# states and every decoder is to drop. Of files that FFmpeg has written, libsndfile 1.2.2 drops it
# when it has seeked, and not before: a file that is opened and read in blocks begins with the delay,
# and as many samples are missing at its end, for the number of frames is right. soundfile.read
# seeks to the start first, so it gives the true samples, and whoever compares the two functions on
# WAV, FLAC or MP3 finds no difference.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q soundfile==0.14.0 av==18.1.0 numpy==2.4.6
venv/bin/python - <<'PYTHON'
import av
import numpy as np
import soundfile

RATE = 48_000
time = np.arange(2 * RATE) / RATE
tone = (0.5 * np.sin(2 * np.pi * (200 + 400 * time) * time)).astype(np.float32)
with av.open("a.opus", "w", format="ogg") as container:
    stream = container.add_stream("libopus", rate=RATE, layout="mono")
    frame = av.AudioFrame.from_ndarray(tone[None], format="flt", layout="mono")
    frame.sample_rate = RATE
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def late(samples: np.ndarray) -> int:
    """Samples by which these lag behind the tone."""
    part = tone[RATE // 2 : RATE]
    lags = range(-500, 501)
    errors = [np.abs(samples[RATE // 2 + lag : RATE + lag] - part).mean() for lag in lags]
    return lags[int(np.argmin(errors))]


in_one_go, _ = soundfile.read("a.opus", dtype="float32")
with soundfile.SoundFile("a.opus") as file:
    opened = file.read(dtype="float32")
with soundfile.SoundFile("a.opus") as file:
    file.seek(0)
    seeked = file.read(dtype="float32")
print("soundfile", soundfile.__version__, soundfile.__libsndfile_version__)
for name, samples in {
    "soundfile.read": in_one_go, "SoundFile.read": opened, "seek(0), then read": seeked
}.items():
    print(f"{name}: {len(samples)} samples, {late(samples)} late")
assert len(in_one_go) == len(opened) == len(seeked) == len(tone)
assert abs(late(in_one_go)) < 2
assert abs(late(seeked)) < 2
assert late(opened) == 312
PYTHON

# Seen:
#   soundfile 0.14.0 1.2.2
#   soundfile.read: 96000 samples, 0 late
#   SoundFile.read: 96000 samples, 312 late
#   seek(0), then read: 96000 samples, 0 late
