#!/usr/bin/env bash
# An MP3 of variable bit rate without a Xing, Info or VBRI frame is read short, and nobody says so.
#
# Such a frame is no part of the MPEG standard; recorders of streams and cutters leave it out. One
# expects a decoder to go on to the end of the file. libsndfile estimates the number of samples
# from the size of the file and the first bit rate, takes that for the truth and stops there:
# soundfile gives a third of this sound, without an error. PyAV (FFmpeg) reads all of it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q av==18.1.0 numpy==2.4.6 soundfile==0.14.0
venv/bin/python - <<'PYTHON'
import av
import numpy as np
import soundfile

def write_mp3(path, samples, header):
    """Variable bit rate, with or without the frame that tells the length."""
    muxer = {"write_xing": "1" if header else "0", "id3v2_version": "0"}
    encoder = {"flags": "+qscale", "global_quality": str(2 * 118)}  # as lame -V2
    with av.open(path, "w", format="mp3", options=muxer) as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", options=encoder)
        for start in range(0, len(samples), 1152):
            part = samples[None, start : start + 1152]
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


RATE = 44_100
time = np.arange(30 * RATE) / RATE
samples = (0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
samples[15 * RATE :] += 0.2 * np.random.default_rng(0).standard_normal(15 * RATE, np.float32)

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
print("PyAV", av.__version__)
seconds = {}
for header in (True, False):
    write_mp3("song.mp3", samples, header)
    told = soundfile.info("song.mp3").duration
    read = len(soundfile.read("song.mp3")[0]) / RATE
    with av.open("song.mp3") as container:
        every = sum(frame.samples for frame in container.decode(audio=0)) / RATE
    seconds[header] = told, read, every
    print(f"{'with' if header else 'without'} the frame: {told:.2f} s are told, {read:.2f} s are read",
          f"by soundfile, {every:.2f} s by PyAV")
assert all(abs(one - 30) < 0.01 for one in seconds[True]), seconds
told, read, every = seconds[False]
assert 9 < told == read < 11, seconds
assert abs(every - 30) < 0.1, seconds

# Seen, with libsndfile 1.2.2:
#   with the frame: 30.00 s are told, 30.00 s are read by soundfile, 30.00 s by PyAV
#   without the frame: 9.75 s are told, 9.75 s are read by soundfile, 30.04 s by PyAV
PYTHON
