"""A page for the people behind a target: which events come, what they hold, how to verify them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from astrio.tasks.webhooks.outbox.receiver import Receiver
from astrio.tasks.webhooks.outbox.trigger import Trigger, nested

_VERIFY = """\
```python
from standardwebhooks import Webhook

event = Webhook(secret).verify(body, headers)  # raises if it is not genuine, or too old
```
"""


def receivers_page(receiver: Receiver, triggers: Sequence[Trigger]) -> str:
    """Return the page as Markdown; it holds no secret, and of the URL only the host.

    Args:
        receiver: the target, ready to be sent to.
        triggers: those that send to it.
    """
    return "\n".join(_lines(receiver, triggers))


def _lines(receiver: Receiver, triggers: Sequence[Trigger]) -> Iterator[str]:
    scheme = getattr(receiver.scheme, "type", "")
    yield f"# Events for {receiver.shown}"
    yield ""
    yield f"Each is sent by {receiver.method} as `{receiver.content_type}`. Answer 2xx within"
    yield f"{receiver.timeout:g} seconds; anything else is tried again, {_attempts(receiver)}."
    yield "A delivery may come twice: remember its id for some days."
    yield ""
    yield "## Verify"
    yield ""
    yield f"Deliveries are signed by the scheme `{scheme}`: take the raw body, before it is parsed."
    if scheme == "standard-webhooks":
        yield ""
        yield _VERIFY.rstrip()
    for trigger in triggers:
        yield ""
        yield f"## {', '.join(f'`{name}`' for name in trigger.on)}"
        yield ""
        if trigger.filter:
            yield f"Sent if `{trigger.filter}`."
            yield ""
        if trigger.order_by:
            yield f"Events of one `{trigger.order_by}` come in the order in which they happened."
            yield ""
        yield from _content(trigger)
    yield ""


def _attempts(receiver: Receiver) -> str:
    count = len(receiver.schedule.delays)
    hours = sum(receiver.schedule.delays) / 3600
    span = f"{hours:.1f} hours" if hours >= 1 else f"{hours * 3600:.0f} seconds"
    return f"{count} times within {span}"


def _content(trigger: Trigger) -> Iterator[str]:
    """Yield what is sent: the form with its expressions stands for a sample."""
    form: Any = trigger.payload
    if trigger.map is not None:
        values = [
            f"{{{{{each}}}}}" if isinstance(each, str) else each for each in trigger.map.values()
        ]
        form = nested(list(trigger.map), values)
    if form is None:
        yield "The payload as it was emitted, a JSON object."
        return
    yield "```json"
    yield json.dumps(form, indent=2, ensure_ascii=False)
    yield "```"
