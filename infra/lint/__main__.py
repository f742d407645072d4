"""Writes the transformed template to the named file."""

import json
import logging
import sys
from pathlib import Path

from infra.lint.transformed import transformed

logging.disable(logging.WARNING)  # the translator reports the switches that it lacks outside of AWS
Path(sys.argv[1]).parent.mkdir(exist_ok=True)
Path(sys.argv[1]).write_text(json.dumps(transformed(), indent=1) + "\n")
