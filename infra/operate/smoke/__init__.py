"""``smoke``: checks a deployment, then plays a story on it and takes back what it made.

::

    python3 -m infra.operate smoke --stack-name tandem-staging --receiver-url https://smoke.example

The checks (`infra.operate.checks`) change nothing. The story creates contracting companies and clients whose names
begin with "smoke", and goes through all that a deployment does: mails, sales, callbacks, a replay, an import, a
redrive, a rollback. At the end it refunds its sales, erases its customers, archives its offers and carts, blocks its
connections and revokes its keys. Tenants, orders, payout rows and callbacks stay, since Tandem deletes none of them.

Each step is independent of those that it does not need. A step that cannot run is *skipped* and says why; it never
counts as passed. The parts:

``play``      runs the steps, and reports each
``world``     the deployment, the callers and the receiver of a play
``story``     tenants, mails, sales, callbacks
``work``      a replay, an import, a redrive
``rollback``  a rollout that an alarm takes back
``clean``     takes back what the story made
``script``    the steps in order

Callbacks go only to public https addresses. So on AWS the steps with callbacks need an address that forwards to this
machine, such as a tunnel's; on the local stack they need nothing.
"""

from __future__ import annotations

import sys

from infra.local.demo.scenario import Failure, Scenario
from infra.operate import checks
from infra.operate.options import Options
from infra.operate.smoke import play, script, world
from infra.operate.stack import Deployment


def run(deployment: Deployment, options: Options) -> int:
    """Check, play, and return 1 if a check or a step failed."""
    checked = checks.run(deployment)
    if options.checks_only:
        return checked
    if deployment.production and not options.in_production:
        print("\nskipped: the story, because the stage is production; --in-production plays it", flush=True)
        return checked
    scenario = Scenario(sys.stdout)
    try:
        with world.opened(deployment, scenario, options) as opened:
            played = play.run(opened, script.STEPS)
    except Failure as failure:  # the receiver's port is taken
        scenario.fail(failure, "choose another --receiver-port")
        return 1
    return checked or played
