"""Entry point of ``python3 -m infra.local``; any Python 3 can parse it, so that an old one gets a clear error."""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "tandem: Python 3.10 or newer is needed, this is %d.%d; name another one with make PYTHON=..."
        % sys.version_info[:2]
    )

from infra.local.cli import main

sys.exit(main(sys.argv[1:]))
