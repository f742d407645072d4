"""Writes the transformed template to the named file."""

import json
import sys
from pathlib import Path

from infra.lint.transformed import transformed

Path(sys.argv[1]).parent.mkdir(exist_ok=True)
Path(sys.argv[1]).write_text(json.dumps(transformed(), indent=1) + "\n")
