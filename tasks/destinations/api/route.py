"""What all requests of a run have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from astrio.tasks.destinations.api.composer import Composer
from astrio.tasks.destinations.api.health import Health
from astrio.tasks.destinations.api.jobs import Identities, Job
from astrio.tasks.destinations.api.journal import Journal
from astrio.tasks.destinations.api.outcomes import Outcomes
from astrio.tasks.destinations.api.sender import Sender
from astrio.tasks.destinations.api.settings import Delivery
from astrio.tasks.http.request import FilledRequest


@dataclass
class Route:
    """What a run's requests have in common.

    Attributes:
        journal: what was sent before.
        sender: sends one request.
        create: makes the requests of new records; of all, where there are no others.
        update: makes those of records that were sent before.
        outcomes: reads answers.
        identities: makes idempotency keys.
        health: whether to go on.
        delivery: the settings.
        run: the logical run's id.
        ordered: records have keys, whose order is all that must be kept.
        keyed: there is one row in the journal for each key.
        size: most records of a batch, as far as the API has told.
        watch: is told of each request, and of the records in it.
    """

    journal: Journal
    sender: Sender
    create: Composer
    update: Composer | None
    outcomes: Outcomes
    identities: Identities
    health: Health
    delivery: Delivery
    run: str
    ordered: bool
    keyed: bool
    size: int = 1
    watch: Callable[[Sequence[Job], FilledRequest], None] = lambda _jobs, _request: None
