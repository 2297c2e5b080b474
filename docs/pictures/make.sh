#!/usr/bin/env bash
# The pictures of the docs, made again: bash docs/pictures/make.sh features_30_sec.csv
# The table is GTZAN's, as Kaggle has it; all else is made music. It needs Chromium.
set -euo pipefail
table="$(realpath "$1")"
here="$(cd "$(dirname "$0")" && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mgrkit demo --quick > demo.txt 2>&1
cd mgrkit-demo
mgrkit spectrograms audio/blues posters --axes --size 800x360 --quiet
mgrkit show audio/blues/blues-01.wav --out show.png --size 800x900 --quiet
mgrkit train cnn spectrograms --out cnn.safetensors --param epochs=20 --quiet
mgrkit train svm "$table" --out gtzan.safetensors --quiet
mgrkit evaluate gtzan.safetensors "$table" --part valid --seen --png matrix.png
mgrkit compare "$table" --classifiers svm,random_forest,logistic_regression --seeds 2 --out compared --quiet
mgrkit explore "$table" --out explored --plots importance,suspects,lda --quiet
mgrkit predict audio --model my-forest.safetensors --json --timeline --quiet > songs.json
mgrkit report songs.json --out songs.html --quiet
chromium --headless --no-sandbox --hide-scrollbars --window-size=1100,1130 --screenshot=report.png songs.html
python - "$here" <<'PYTHON'
import glob
import sys

from PIL import Image

for name, made in {
    "mel": "posters/blues-01.png",
    "show": "show.png",
    "curves": glob.glob("cnn.run/*/curves.png")[0],
    "confusion": "matrix.png",
    "comparison": "compared/compare.png",
    "explored": "explored/lda.png",
    "report": "report.png",
}.items():
    picture = Image.open(made).convert("RGB")
    if name != "report":  # whose small patches of colour tell genres
        picture = picture.quantize(128)  # a third of the bytes
    picture.save(f"{sys.argv[1]}/{name}.png", optimize=True)
PYTHON
