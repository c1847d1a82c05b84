"""One run at a time, whatever becomes of its process."""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta

import pytest
from tests.contracts.stream import Stream, StreamContract, batch, child

from astrio.blocks.errors import AstrioError, LeaseHeldError
from astrio.tasks.destinations.base import Chunk
from astrio.tasks.destinations.opening import (
    stream_status,
)
from astrio.tasks.destinations.sql import moment
from astrio.tasks.report import RunReport


class LeaseContract(StreamContract):
    """Inherited by `DestinationContract`."""

    beside: type[AstrioError] = LeaseHeldError
    """What refuses a run of another process: the lease, or the database's lock of its file."""

    # The lease.

    def test_a_second_run_is_refused_and_told_who_is_at_work(self, stream: Stream) -> None:
        stream.open()
        with pytest.raises(LeaseHeldError, match=rf"process {os.getpid()} on .+, since 20.+Z"):
            stream.open()

    def test_a_closed_stream_can_be_opened_again(self, stream: Stream) -> None:
        stream.open().close()
        stream.open()

    def test_a_run_may_wait_for_the_other_to_end(self, stream: Stream) -> None:
        first, pauses = stream.open(), list[float]()

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 3:
                first.close()

        stream.open(wait=True, pause=pause)
        assert len(pauses) == 3

    def test_a_lease_lapses_and_its_holder_is_fenced_off(self, stream: Stream) -> None:
        first = stream.open()
        first.commit(Chunk([batch("id", (1,))]))
        second = stream.open(clock=lambda: moment.now() + timedelta(seconds=40))
        with pytest.raises(LeaseHeldError):
            first.commit(Chunk([batch("id", (2,))]))
        with pytest.raises(LeaseHeldError):
            first.renew()
        second.commit(Chunk([batch("id", (3,))], resume=lambda _: {"page": 2}))
        first.abandon(RunReport(integration="shop"), clear_resume=True)
        first.close()
        assert stream.rows() == [(1,), (3,)]
        assert stream_status(stream.push, "shop").unfinished

    def test_a_lease_that_was_lapsed_and_released_is_told_too(self, stream: Stream) -> None:
        first = stream.open()
        stream.open(clock=lambda: moment.now() + timedelta(seconds=40)).close()
        with pytest.raises(LeaseHeldError, match="ended since"):
            first.renew()

    @pytest.mark.parametrize("renewed", [True, False])
    def test_a_lease_lasts_as_long_as_it_is_renewed(self, stream: Stream, renewed: bool) -> None:
        late = timedelta()
        first = stream.open(clock=lambda: moment.now() + late)
        late = timedelta(seconds=25)
        if renewed:
            first.renew()
        if renewed:
            with pytest.raises(LeaseHeldError):
                stream.open(clock=lambda: moment.now() + timedelta(seconds=50))
        else:
            stream.open(clock=lambda: moment.now() + timedelta(seconds=50))

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
    def test_the_lease_of_a_killed_process_is_taken_over_at_once(self, stream: Stream) -> None:
        process = child(stream, "print(destination.open(run), flush=True); sys.stdin.read()")
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(self.beside, match=f"process {process.pid} on .+, since 20.+Z"):
            stream.open()
        process.kill()
        # Not waited for: a zombie has ended as well.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert stream_status(stream.push, "shop").holder is None
        stream.open()
        process.communicate()

    def test_of_two_runs_that_start_at_once_one_is_refused(self, stream: Stream) -> None:
        code = """
            sys.stdin.readline()
            try:
                destination.open(run)
            except (LeaseHeldError, LockedError):
                print("refused", flush=True)
            else:
                print("opened", flush=True)
            sys.stdin.read()
        """
        children = [child(stream, code), child(stream, code)]
        for process in children:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = sorted(process.stdout.readline() for process in children if process.stdout)
        for process in children:
            process.communicate()
        assert answers == ["opened\n", "refused\n"]

    # Failures.

    def test_rows_and_resume_point_agree_wherever_the_process_is_killed(
        self, stream: Stream
    ) -> None:
        self.kill_at_random_moments(stream, rounds=4)

    @pytest.mark.slow
    def test_rows_and_resume_point_agree_after_very_many_kills(self, stream: Stream) -> None:
        self.kill_at_random_moments(stream, rounds=40)

    def kill_at_random_moments(self, stream: Stream, rounds: int) -> None:
        code = """
            state = destination.open(run)
            done = (state.resume or {"chunks": 0})["chunks"]
            destination.begin_slice(atomic=False)
            while True:
                rows = [(number, "x" * 50) for number in range(done * 500, done * 500 + 500)]
                bad = Reject({"id": -done}, [Problem("id", "min", "no")], (-done - 1,))
                done += 1
                page = Batch(Page(1), ("id", "text"), rows, rows, [bad])
                destination.commit(Chunk([page], lambda _: {"chunks": done}))
                print(done, flush=True)
        """
        for attempt in range(rounds):
            process = child(stream, code)
            assert process.stdout is not None
            for _ in range(attempt % 4 + 1):
                assert process.stdout.readline()
            # Somewhere within the following chunk.
            process.stdout.read((attempt * 7) % 3)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            stream.open("look").close()
            chunks = (stream.state.resume or {"chunks": 0})["chunks"]
            (count,) = stream.rows("SELECT count(*), max(id) + 1 FROM orders")
            assert count == (chunks * 500, chunks * 500)
            assert stream_status(stream.push, "shop").quarantined == chunks
