"""The entry point of ``python3 -m infra.deploy``."""

import sys

if sys.version_info < (3, 10):
    sys.exit("tandem: infra.deploy needs Python 3.10 or newer; this is %d.%d" % sys.version_info[:2])

from infra.deploy.cli import main

sys.exit(main(sys.argv[1:]))
