"""What a run is about to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from astrio.blocks.api import RestApi
from astrio.tasks.http.client import ApiClient
from astrio.tasks.mapping.compile import CompiledMapping
from astrio.tasks.outcome import Outcome
from astrio.tasks.page_source import PageSource
from astrio.tasks.read_plan import ReadPlan
from astrio.tasks.report import Requests
from astrio.tasks.rules.compile import CompiledRules


@dataclass(eq=False)
class Plan:
    """Everything the five stages of one run need.

    Attributes:
        api: the connection with the file's `vars` filled in, None if no API is needed.
        reading: what to read of the API, or what yields the pages itself.
        requests_before: requests of the earlier part of a resumed run.
    """

    api: RestApi | None
    reading: ReadPlan | PageSource
    mapping: CompiledMapping
    rules: CompiledRules
    outcome: Outcome
    requests_before: Requests = field(default_factory=Requests)

    def opened(self, session: ApiClient | None) -> ApiClient | None:
        """Count this session's requests in the run's account, and return the session."""
        if session is None:
            return None
        session.stats.start_from(self.requests_before)
        self.outcome.account.requests = session.stats.report
        return session
