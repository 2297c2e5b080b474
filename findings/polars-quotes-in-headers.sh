#!/usr/bin/env bash
# polars reads a quote in a CSV's column name doubled, though it reads the same text rightly in a cell.
#
# CSV writes a quote inside a quoted field twice, in the head as in the rows, and readers halve it. One
# expects a table that polars wrote to come back with the columns that it had. Its cells do; a column
# called <my "col" x> comes back as <my ""col"" x>, and its quotes double in each round. Nothing is raised.
# Python's csv module and pandas read the name as it was. Whoever selects a column by name does not
# find it.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q polars==2.1.0 pandas==3.0.1
venv/bin/python - <<'PYTHON'
import csv
import io

import pandas
import polars

NAME, CELL = 'my "col" x', 'v "q"'
text = polars.DataFrame({NAME: [CELL]}).write_csv()
print("polars", polars.__version__, "pandas", pandas.__version__)
print("written:", repr(text))

frame = polars.read_csv(io.StringIO(text))
lazy = polars.scan_csv(io.BytesIO(text.encode())).collect()
again = polars.read_csv(io.StringIO(frame.write_csv()))
print("read_csv:", frame.columns, frame.rows())
print("scan_csv:", lazy.columns, "  a second round:", again.columns)
other = pandas.read_csv(io.StringIO(text))
rows = list(csv.reader(io.StringIO(text)))
print("csv:", rows[0], "  pandas:", list(other.columns))

assert rows == [[NAME], [CELL]]
assert list(other.columns) == [NAME]
assert frame.columns == lazy.columns == ['my ""col"" x']
assert frame.rows() == [(CELL,)]
assert again.columns == ['my """"col"""" x']

# Seen:
#   polars 2.1.0 pandas 3.0.1
#   written: '"my ""col"" x"\n"v ""q"""\n'
#   read_csv: ['my ""col"" x'] [('v "q"',)]
#   scan_csv: ['my ""col"" x']   a second round: ['my """"col"""" x']
#   csv: ['my "col" x']   pandas: ['my "col" x']
PYTHON
