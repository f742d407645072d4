"""The steps of the story in order, each with the way from its failure to the cause."""

from __future__ import annotations

from infra.operate.smoke import clean, rollback, story, work
from infra.operate.smoke.play import Step
from infra.operate.smoke.world import World

_LOG = "read the log of {}: CloudWatch Logs, /aws/lambda/STACK-{}"
_QUEUES = "run `python3 -m infra.operate status`; {}"


def _needs_receiver(world: World) -> str | None:
    if world.receiver:
        return None
    return (
        "callbacks go to public https addresses only: forward one to this machine, such as a tunnel's, and name it by "
        "--receiver-url"
    )


def _needs_mail_events(world: World) -> str | None:
    return "the emulator sends no events of mails" if world.local else None


def _log(function: str) -> str:
    return _LOG.format(function, function)


STEPS = (
    Step(
        "tenants",
        "The operator creates two contracting companies, three clients and their keys",
        story.tenants,
        _log("tenants"),
    ),
    Step(
        "invitation",
        "The source invites its sister, a client of the same company",
        story.invitation,
        _log("connections"),
        ("tenants",),
    ),
    Step(
        "mail",
        "The invitation's mail leaves",
        story.mail,
        _QUEUES.format("read the log of send-mails; is MailSender verified? Does the rule call note-mail-events?"),
        ("invitation",),
    ),
    Step(
        "bounce",
        "An invitation to a mailbox that does not exist is reported as bounced",
        story.bounce,
        "read the logs of send-mails and note-mail-events, then `infra.operate redrive mail-events --dry-run`",
        ("tenants",),
        _needs_mail_events,
    ),
    Step(
        "sale",
        "The sister accepts, puts the shared offer into a cart, and sells it once although it sends the request twice",
        story.sale,
        _log("purchase-cart"),
        ("invitation",),
    ),
    Step(
        "callback",
        "A client of the other company sells; the source gets the signed callback and redeems its voucher",
        story.other_company,
        _QUEUES.format("`why cbk_…` shows the attempts; does the address forward to this machine?"),
        ("tenants",),
        _needs_receiver,
    ),
    Step(
        "after",
        "A renewal and a refund follow, each with its callback",
        story.after_the_sale,
        _QUEUES.format("read the logs of subscriptions and orders"),
        ("callback",),
    ),
    Step(
        "replay",
        "The receiver is gone (410), sales go on, and one replay delivers all callbacks that were held",
        work.replay,
        _QUEUES.format("read the log of deliver-callbacks; has it the metric RecursiveInvocationsDropped?"),
        ("callback",),
    ),
    Step(
        "import",
        "The source imports an order of another system",
        work.imports,
        _QUEUES.format("read the log of process-imports"),
        ("tenants",),
    ),
    Step(
        "redrive",
        "A dead letter about the finished import is redriven, and has no effect",
        work.redrive_one,
        "run `python3 -m infra.operate redrive imports --dry-run`, and read the log of process-imports",
        ("import",),
    ),
    Step(
        "rollback",
        "An alarm takes back a rollout",
        rollback.play,
        "look at the deployment in CodeDeploy: the alarms of its group, and its automatic rollback",
        (),
        rollback.skipped,
    ),
    Step(
        "clean",
        "All that the story made is refunded, erased, archived and revoked",
        clean.play,
        'the tenants whose names begin with "smoke": repeat the calls that failed with a new key of the client, then '
        "revoke it",
    ),
)
