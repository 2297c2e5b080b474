#!/usr/bin/env bash
# audiomentations' Mp3Compression says that it took 320 kbit/s, and gives the very samples of 160.
#
# GTZAN, and most of what librosa.load returns, is at 22,050 Hz. There MP3 is MPEG-2 layer III, whose
# table of bit rates ends at 160 kbit/s (ISO/IEC 13818-3). Asked for 192, 224, 256 or 320, ffmpeg's and
# LAME's own programs say so or lower it where one sees it; Mp3Compression draws such a rate, writes it
# down in serialize_parameters(), and encodes at 160 without a word. An experiment over "160 to 320"
# compares a thing with itself.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q audiomentations==0.43.1 fast-mp3-augment==0.2.0 numpy==2.4.6 librosa==0.11.0
venv/bin/python - <<'PYTHON'
import warnings

import audiomentations
import numpy as np

warnings.simplefilter("error")
sound = (0.2 * np.random.default_rng(0).standard_normal(5 * 22_050)).astype(np.float32)
print("audiomentations", audiomentations.__version__)
heard = {}
for rate in (22_050, 44_100):
    for kbits in (128, 160, 192, 320):
        step = audiomentations.Mp3Compression(kbits, kbits, p=1.0)
        heard[rate, kbits] = step(sound.copy(), rate)
        assert step.serialize_parameters()["bitrate"] == kbits
    same = [k for k in (128, 192, 320) if np.array_equal(heard[rate, k], heard[rate, 160])]
    print(f"at {rate} Hz the same samples as at 160 kbit/s: {same}")
    assert same == ([192, 320] if rate == 22_050 else []), same

# Seen:
#   audiomentations 0.43.1
#   at 22050 Hz the same samples as at 160 kbit/s: [192, 320]
#   at 44100 Hz the same samples as at 160 kbit/s: []
PYTHON
