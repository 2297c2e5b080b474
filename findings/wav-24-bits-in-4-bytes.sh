#!/usr/bin/env bash
# One valid WAV of 24 bits in blocks of 4 bytes: three readers, three levels.
#
# WAVE_FORMAT_PCM lets a sample lie in more bytes than it needs; multitrack recorders write 24 bits
# in 4 bytes. One expects every reader to give the same sine of half of full scale. libsndfile
# reads it as 32 bits, 48 dB too low. FFmpeg takes it for floats (pcm_f24le), and half of what it
# gives is not a number. Nothing is raised or warned of. The form WAVE_FORMAT_EXTENSIBLE with 24 valid
# of 32 bits, in the upper bytes, is read right by libsndfile, and by FFmpeg as floats again.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q av==18.1.0 numpy==2.4.6 soundfile==0.14.0
venv/bin/python - <<'PYTHON'
import struct

import av
import numpy as np
import soundfile

RATE = 44_100
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
values = np.round(sine * 2**23).astype("<i4")


def write_wav(path, form, data):
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(data)) + data
    open(path, "wb").write(b"RIFF" + struct.pack("<I", len(body)) + body)


plain = struct.pack("<HHIIHH", 1, 1, RATE, 4 * RATE, 4, 24)
extensible = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE, 4 * RATE, 4, 32, 22, 24, 4) + PCM_GUID
write_wav("plain.wav", plain, values.tobytes())
write_wav("extensible.wav", extensible, (values << 8).tobytes())

print("soundfile", soundfile.__version__, "libsndfile", soundfile.__libsndfile_version__)
print("PyAV", av.__version__)
peaks = {}
for name in ("plain", "extensible"):
    samples, _ = soundfile.read(f"{name}.wav")
    with av.open(f"{name}.wav") as container:
        codec = container.streams.audio[0].codec_context.name
        frames = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    peaks[name] = float(abs(samples).max()), codec, frames.dtype.name, bool(np.isfinite(frames).all())
    print(f"{name}: a peak of {peaks[name][0]:.4f} by soundfile;", f"{codec} {frames.dtype} by PyAV,",
          f"{np.isnan(frames).sum():,} of {len(frames):,} are not a number")
assert abs(peaks["plain"][0] - 0.5 / 256) < 1e-4, peaks
assert abs(peaks["extensible"][0] - 0.5) < 1e-4, peaks
assert all(codec == "pcm_f24le" for _, codec, _, _ in peaks.values()), peaks

# Seen, with libsndfile 1.2.2:
#   plain: a peak of 0.0020 by soundfile; pcm_f24le float32 by PyAV, 22,040 of 44,100 are not a number
#   extensible: a peak of 0.5000 by soundfile; pcm_f24le float32 by PyAV, 100 of 44,100 are not a number
PYTHON
