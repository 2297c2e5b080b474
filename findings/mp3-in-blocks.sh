#!/usr/bin/env bash
# Reading an MP3 in blocks by soundfile gives other samples than reading it in one piece.
#
# One expects that SoundFile.blocks() gives what read() gives, cut into parts, as it does for WAV
# and FLAC. After every read soundfile seeks to the place where it already is. In an MP3 a frame
# may take its bits from frames before it, and what libsndfile decodes after a seek lacks them: the
# first frames of nearly every block are wrong, by as much as the sound itself. With small blocks
# half of all samples are. Nothing is raised. librosa.stream reads in the same way.
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

write_mp3("song.mp3", samples, header=True)
whole, _ = soundfile.read("song.mp3")
print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
print(f"a peak of {abs(whole).max():.2f} in {len(whole):,} samples")
wrong = {}
for size in (1_152, 4_096, 65_536):
    with soundfile.SoundFile("song.mp3") as file:
        blocks = np.concatenate(list(file.blocks(size)))
    difference = abs(blocks - whole)
    wrong[size] = int((difference > 1e-3).sum())
    print(f"blocks of {size:,}: {wrong[size]:,} samples differ, by {difference.max():.2f} at most")
assert len(blocks) == len(whole) == len(samples)
assert wrong[1_152] > 500_000 > wrong[4_096] > 300_000 > wrong[65_536] > 10_000, wrong

soundfile.write("song.flac", samples, RATE)
with soundfile.SoundFile("song.flac") as file:
    assert np.array_equal(np.concatenate(list(file.blocks(1_152))), soundfile.read("song.flac")[0])
print("a FLAC in blocks is the same as in one piece")

# Seen, with libsndfile 1.2.2:
#   a peak of 0.95 in 1,323,000 samples
#   blocks of 1,152: 652,087 samples differ, by 0.54 at most
#   blocks of 4,096: 401,929 samples differ, by 0.54 at most
#   blocks of 65,536: 24,714 samples differ, by 0.12 at most
PYTHON
