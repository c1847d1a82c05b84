"""A test event to a target, without the outbox."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from astrio.tasks.ledger.opening import Ledger
from astrio.tasks.webhooks.outbox.answer import Answer
from astrio.tasks.webhooks.outbox.event import new_id
from astrio.tasks.webhooks.outbox.receiver import Receiver, prepared
from astrio.tasks.webhooks.outbox.sender import Sender
from astrio.tasks.webhooks.outbox.targets import read_targets, unknown
from astrio.tasks.webhooks.outbox.trigger import body_of


def ready(name: str) -> Receiver:
    """Return a target that is ready to be sent to.

    Raises:
        ConfigurationError: there is no such target, or a variable is not set.
    """
    ledger = Ledger()
    if not ledger.exists():
        raise unknown(name)
    with ledger.reading() as connection:
        rows = read_targets(connection, [name])
    if not rows:
        raise unknown(name)
    return prepared(name, rows[0].target(), rows[0].own_secrets())


async def send_test(name: str) -> Answer:
    """Send a signed test event once; raises as `ready`."""
    receiver = ready(name)
    moment = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
    content = {"type": "astrio.test", "timestamp": moment}
    sender = Sender()
    try:
        body = body_of(content, receiver.content_type)
        return await sender.send(receiver, new_id().replace("evt_", "msg_"), body)
    finally:
        await sender.close()
