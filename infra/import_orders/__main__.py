"""Entry point of ``python3 -m infra.import_orders``; any Python 3 can parse it, so that an old one gets an error."""

import sys

if sys.version_info < (3, 10):
    sys.exit("tandem: Python 3.10 or newer is needed, this is %d.%d" % sys.version_info[:2])

from infra.import_orders.cli import main

sys.exit(main(sys.argv[1:]))
