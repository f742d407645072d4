"""The mails that the stack sent, as the emulator of the mail service keeps them."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from infra.local.demo.scenario import Failure


@dataclass(frozen=True)
class Mail:
    """A mail to one recipient."""

    to: str
    subject: str
    text: str
    html: str


class Mailbox:
    """All sent mails."""

    def __init__(self, url: str) -> None:
        self._url = url
        # No proxy of the user's environment applies to the loopback address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def find(self, to: str, words: str) -> Mail | None:
        """The first mail to an address whose text contains these words."""
        return next((mail for mail in self._all() if mail.to == to and words in mail.text), None)

    def _all(self) -> list[Mail]:
        try:
            with self._opener.open(self._url, timeout=10) as answer:
                accounts: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
        except (OSError, ValueError, KeyError) as error:
            raise Failure("the list of sent mails", "JSON", f"{type(error).__name__}: {error}") from error
        sent = [message for messages in accounts.values() for message in messages]
        return [
            Mail(recipient, message["Subject"], message.get("BodyText", ""), message.get("BodyHtml", ""))
            for message in sent
            for recipient in message["To"]
        ]
