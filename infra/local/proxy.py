"""Runs microburst, the proxy that injects faults, with one change: requests keep the caller's `Host`.

The functions sign that header, and the emulator checks signatures. microburst would replace it; its alternative, to
sign again, would give every function the same rights.

requirements.txt pins its version; a change that no longer fits it fails at the start.
"""

from __future__ import annotations

import sys
from typing import Any

from microburst import cli, forward


def keep_the_host() -> None:
    """Forward requests with their original `Host`."""
    upstream = forward.Upstream
    headers = upstream._outbound_headers

    def with_host(self: Any, request: Any) -> dict[str, str]:
        return dict(headers(self, request)) | {"host": request.headers["Host"]}

    upstream._outbound_headers = with_host


if __name__ == "__main__":
    keep_the_host()
    sys.exit(cli.main(sys.argv[1:]))
