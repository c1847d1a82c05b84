"""Processes that are known by a note: recognised for certain before they are signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from astrio.blocks.errors import ServerUnavailableError
from astrio.deployments.processes import await_end, birth, is_alive, stop_group
from astrio.deployments.serving.ports import USUAL, choose_port, holder

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"


@contextmanager
def sleeper(code: str = "print(1, flush=True)", *, leads: bool = True) -> Iterator[int]:
    command = [sys.executable, "-c", f"{code}; import time; time.sleep(60)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=leads) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            if process.poll() is None:
                process.kill()


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    with sleeper() as pid:
        born = birth(pid)
        assert born == birth(pid)
        assert is_alive(pid, born)
        assert not is_alive(pid, "earlier")
        assert not is_alive(pid, None)
        os.kill(pid, signal.SIGKILL)
        assert await_end(pid, born, 5)
    assert birth(pid) is None
    assert not is_alive(1, birth(1))  # nobody's to stop


@pytest.mark.parametrize("code", ["print(1, flush=True)", STUBBORN])
def test_a_group_is_stopped_for_good(code: str) -> None:
    with sleeper(code) as pid:
        born = birth(pid)
        stop_group(pid, born, patience=0.3)
        assert not is_alive(pid, born)


def test_another_process_and_one_that_leads_no_group_are_left_alone() -> None:
    with sleeper() as pid:
        stop_group(pid, "earlier", patience=0.1)
        assert is_alive(pid, birth(pid))
    with sleeper(leads=False) as pid:
        stop_group(pid, birth(pid), patience=0.1)
        assert is_alive(pid, birth(pid))
    stop_group(pid, "ended")


def test_waiting_for_a_process_has_an_end() -> None:
    with sleeper() as pid:
        assert not await_end(pid, birth(pid), 0.1)


LISTEN = """
import socket; server = socket.create_server(("127.0.0.1", {port})); server.listen()
print(server.getsockname()[1], flush=True); server.accept()
"""


@contextmanager
def listening(port: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (port, pid) of a process that listens."""
    command = [sys.executable, "-c", LISTEN.format(port=port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def test_a_taken_port_is_refused_with_whoever_has_it() -> None:
    with listening() as (port, pid), pytest.raises(ServerUnavailableError) as caught:
        choose_port("127.0.0.1", port)
    assert caught.value.message.startswith(f"Port {port} is taken by process {pid} (")
    assert holder(port) == "another process"
    assert choose_port("127.0.0.1", port) == port


def test_without_one_the_usual_port_is_taken_or_the_next() -> None:
    first = choose_port("127.0.0.1", None)
    assert first >= USUAL
    with listening(first):
        assert choose_port("127.0.0.1", None) > first


def test_an_address_of_another_machine_has_no_port() -> None:
    with pytest.raises(ServerUnavailableError, match="cannot be used"):
        choose_port("192.0.2.1", None)
