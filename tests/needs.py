"""What pyproject.toml says that mgrkit and its tests need, but for the packages that are named.

``python tests/needs.py torch torchvision`` prints requirements for pip, one a line: for an
environment without torch, of which pip fetches several gigabytes for some Pythons.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
for need in project["dependencies"] + project["optional-dependencies"]["test"]:
    if re.split(r"[^\w.-]", need)[0] not in sys.argv[1:]:
        print(need)
