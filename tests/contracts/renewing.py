"""The lease where two connections may write at once; such a database's tests inherit this."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from tests.contracts.stream import Stream, batch

from astrio.blocks.errors import LeaseHeldError
from astrio.tasks.destinations.base import Chunk, Written
from astrio.tasks.destinations.sql import moment
from astrio.tasks.report import RunReport


class RenewalContract:
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""

    late: timedelta

    def clock(self) -> datetime:
        return moment.now() + self.late

    @pytest.fixture
    def stream(self, url: str) -> Iterator[Stream]:
        self.late = timedelta()
        stream = Stream(url)
        yield stream
        stream.close()

    def others_are_refused(self, stream: Stream) -> bool:
        """Whether a run that starts fifty seconds after the first is refused, at once."""
        try:
            stream.open("other", clock=lambda: moment.now() + timedelta(seconds=50), begin=False)
        except LeaseHeldError:
            return True
        return False

    def test_a_lease_is_renewed_while_an_atomic_slice_is_open(self, stream: Stream) -> None:
        first = stream.open(clock=self.clock, begin=False)
        first.begin_slice(atomic=True)
        first.commit(Chunk([batch("id", (1,))]))
        self.late = timedelta(seconds=25)
        first.renew()
        first.commit(Chunk([batch("id", (2,))]))
        assert self.others_are_refused(stream)
        first.finish(RunReport(integration="shop"), clear_resume=True)
        assert stream.rows() == [(1,), (2,)]

    def test_the_lease_of_an_atomic_slice_that_is_not_renewed_lapses(self, stream: Stream) -> None:
        first = stream.open(clock=self.clock, begin=False)
        first.begin_slice(atomic=True)
        assert not self.others_are_refused(stream)
        with pytest.raises(LeaseHeldError):
            first.renew()
        with pytest.raises(LeaseHeldError):
            first.finish(RunReport(integration="shop"), clear_resume=True)

    @pytest.mark.parametrize("mode", ["upsert", "replace"])
    def test_a_lease_is_renewed_while_a_chunk_is_written(self, stream: Stream, mode: str) -> None:
        stream.push = stream.push.model_copy(update={"mode": mode})
        first = stream.open(clock=self.clock)
        refused: list[bool] = []

        def meanwhile(_: Written) -> None:
            self.late = timedelta(seconds=25)
            first.renew()
            refused.append(self.others_are_refused(stream))

        assert first.renews_apart
        first.commit(Chunk([batch("id", (1,))], resume=meanwhile))
        assert refused == [True]

    def test_a_lease_is_renewed_while_the_table_is_swapped(
        self, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream.push = stream.push.model_copy(update={"mode": "replace"})
        stream.write("id", (0,))
        first = stream.open(clock=self.clock)
        first.commit(Chunk([batch("id", (1,))]))
        refused: list[bool] = []
        swap = type(first._dialect).swap

        def slowly(*args: object) -> None:
            swap(*args)  # type: ignore[arg-type] # whatever the destination hands over
            self.late = timedelta(seconds=25)
            first.renew()
            refused.append(self.others_are_refused(stream))

        monkeypatch.setattr(type(first._dialect), "swap", slowly)
        first.finish(RunReport(integration="shop"), clear_resume=True)
        assert refused == [True]
        assert stream.rows() == [(1,)]
