"""The gateway as a process: what is accepted, what is refused, and how it ends."""

from __future__ import annotations

import json
import signal
import ssl
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.authority import Authority
from tests.support.command import astrio, eventually
from tests.support.gateway import (
    KEY,
    OTHER_KEY,
    PATH,
    VARIABLES,
    Answered,
    Running,
    gateway,
    integration,
    signed,
    write,
)

from astrio.tasks.webhooks.inbox.event import Event
from astrio.tasks.webhooks.inbox.looking import Which, listed, shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Running]:
    write(
        folder,
        integration(allow=["127.0.0.0/8", "203.0.113.7"]),
        integration("elsewhere", path="/hooks/elsewhere", allow=["203.0.113.0/24"]),
        integration("slow", path="/hooks/slow", rate="2/min", burst=2),
        integration("small", path="/hooks/small", max_body_bytes=1000, delivery_id="event.id"),
        integration("typed", path="/hooks/typed", content_type="application/json"),
    )
    with gateway(folder, "--proxy", "127.0.0.9/32", "--body-timeout", "1") as process:
        yield process


@pytest.fixture(autouse=True)
def _its_inbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(folder / "astrio-home"))


def stored(delivery_id: str) -> list[Event]:
    return shown(delivery_id)


def test_a_signed_event_is_stored_before_it_is_accepted(running: Running) -> None:
    delivery = signed(b'{"id": 7}')
    answered = running.post(delivery)
    assert (answered.status, json.loads(answered.body)) == (202, {"status": "accepted"})
    (event,) = stored(delivery.id)
    assert (event.source, event.body) == ("shop", b'{"id": 7}')
    assert dict(event.headers)["webhook-id"] == delivery.id


def test_an_event_that_comes_again_is_accepted_and_stored_once(running: Running) -> None:
    delivery = signed()
    running.post(delivery)
    again = running.post(signed(id_=delivery.id))
    assert (again.status, json.loads(again.body)) == (202, {"status": "duplicate"})
    assert len(stored(delivery.id)) == 1


def without_date(answered: Answered) -> Answered:
    headers = {name: value for name, value in answered.headers.items() if name != "date"}
    return Answered(answered.status, headers, answered.body)


def test_an_unknown_path_and_a_bad_signature_are_answered_alike(running: Running) -> None:
    forged = signed(key=OTHER_KEY)
    answers = [
        running.post(forged),
        running.post(forged, "/webhooks/no-such-source"),
        running.post(signed(), "/webhooks/no-such-source"),
        running.send(body=b"{}"),
        running.post(signed(at=time.time() - 3600)),
        running.post(signed(at=time.time() + 3600)),
    ]
    assert {str(without_date(each)) for each in answers} == {str(without_date(answers[0]))}
    assert answers[0].status == 401
    assert stored(forged.id) == []


def test_a_wrong_method_is_answered_alike_for_all_paths(running: Running) -> None:
    answers = [
        running.send(method, path)
        for method in ("GET", "DELETE", "PATCH", "FROB")
        for path in (PATH, "/no/such")
    ]
    assert {str(without_date(each)) for each in answers} == {str(without_date(answers[0]))}
    assert (answers[0].status, answers[0].headers["allow"]) == (405, "POST")


def test_an_address_that_is_not_allowed_is_refused(running: Running) -> None:
    assert running.post(signed(), "/hooks/elsewhere").status == 403


def test_what_anybody_says_of_where_it_comes_from_does_not_count(running: Running) -> None:
    answered = running.post(signed(), "/hooks/elsewhere", x_forwarded_for="203.0.113.7")
    assert answered.status == 403


def test_beyond_its_rate_a_source_says_when_to_try_again(running: Running) -> None:
    answers = [running.post(signed(), "/hooks/slow") for _ in range(3)]
    assert [each.status for each in answers] == [202, 202, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60


def test_a_body_that_is_too_large_is_refused_however_it_is_sent(running: Running) -> None:
    large = signed(b"x" * 1001)
    assert running.post(large, "/hooks/small").status == 413
    chunks = iter([large.body[:600], large.body[600:]])
    assert running.send("POST", "/hooks/small", chunks, large.headers).status == 413
    assert running.post(signed(b"x" * 1000), "/hooks/small").status == 202


def test_a_body_that_is_far_too_large_is_refused_and_not_kept(running: Running) -> None:
    running.post(signed())
    before = running.memory()
    for _ in range(3):
        assert running.send(body=iter([b"x" * 65536] * 160)).status == 413
    assert running.memory() - before < 20_000_000


def test_a_body_may_come_in_chunks(running: Running) -> None:
    delivery = signed(b'{"id": "' + b"x" * 200_000 + b'"}')
    parts = [delivery.body[start : start + 30_000] for start in range(0, 210_000, 30_000)]
    assert running.send("POST", PATH, iter(parts), delivery.headers).status == 202
    assert stored(delivery.id)[0].body == delivery.body


def test_a_packed_body_is_refused(running: Running) -> None:
    assert running.post(signed(), content_encoding="gzip").status == 415
    assert running.post(signed(), content_encoding="identity").status == 202


def test_a_body_that_does_not_come_is_not_waited_for(running: Running) -> None:
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n".encode()
    for sent in (head, head + b"abc"):
        answered = running.raw(sent)
        assert answered.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answered


def test_the_id_of_a_delivery_may_stand_in_its_body(running: Running) -> None:
    first, second = (signed(b'{"event": {"id": "evt-1"}}') for _ in range(2))
    assert json.loads(running.post(first, "/hooks/small").body)["status"] == "accepted"
    assert json.loads(running.post(second, "/hooks/small").body)["status"] == "duplicate"
    assert len(stored("evt-1")) == 1


def test_a_source_may_take_one_content_type_only(running: Running) -> None:
    assert running.post(signed(), "/hooks/typed", content_type="text/plain").status == 415
    typed = "application/json; charset=utf-8"
    assert running.post(signed(), "/hooks/typed", content_type=typed).status == 202


def test_health_and_metrics_are_told(running: Running) -> None:
    delivery = signed()
    running.post(delivery)
    running.post(delivery)
    running.post(signed(key=OTHER_KEY))
    for _ in range(3):
        running.post(signed(), "/hooks/slow")
    assert running.send("GET", "/health/live").status == 200
    assert running.send("GET", "/health/ready").status == 200
    page = running.send("GET", "/metrics").body.decode()
    for sample in (
        'astrio_webhook_accepted_total{source="shop"}',
        'astrio_webhook_duplicates_total{source="shop"}',
        'astrio_webhook_refused_total{reason="signature",source="shop"}',
        'astrio_webhook_refused_total{reason="rate",source="slow"}',
        'astrio_webhook_latency_seconds_bucket{le="0.005"}',
        'astrio_webhook_oldest_seconds{source="shop"}',
    ):
        assert sample in page


def test_metrics_are_not_told_to_whoever_comes_through_an_unknown_proxy(running: Running) -> None:
    for name in ("x-forwarded-for", "forwarded", "x-real-ip"):
        answered = running.send("GET", "/metrics", headers={name: "127.0.0.1"})
        assert answered.status == 404


def test_no_secret_is_told(running: Running, folder: Path) -> None:
    running.post(signed(b'{"canary": "payload"}', key=OTHER_KEY))
    page = running.send("GET", "/metrics").body.decode()
    shown_text = page + running.told() + "".join(running.out)
    for secret in (KEY, OTHER_KEY, "canary-secret", "payload"):
        assert secret not in shown_text
        for file in (folder / "astrio-home").glob("ledger.db*"):
            assert secret.encode() not in file.read_bytes()


def test_a_secret_that_cannot_be_resolved_is_told_before_anything_listens(tmp_path: Path) -> None:
    write(tmp_path)
    variables = VARIABLES | {"SHOP_SECRET": None}
    ended = astrio("gateway", "--port", "0", folder=tmp_path, environment=variables)
    assert ended.code == 2
    assert "shop" in ended.err
    assert "SHOP_SECRET" in ended.err
    assert "listening" not in ended.err


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"path": "/metrics"}, "shop.json:1:49: /metrics is the gateway's own path"),
        ({"colour": "red"}, "shop.json:1:"),
        ({"secret": "short"}, "does not fit its scheme"),
    ],
)
def test_a_mistake_is_told_before_anything_listens(
    tmp_path: Path, changed: dict[str, str], told: str
) -> None:
    write(tmp_path, integration(**changed))
    ended = astrio("gateway", "--port", "0", folder=tmp_path, environment=VARIABLES)
    assert ended.code == 2
    assert told in ended.err


def test_two_sources_of_one_path_are_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, integration(), integration("again"))
    ended = astrio("gateway", "--port", "0", folder=tmp_path, environment=VARIABLES)
    assert (ended.code, "shop's already" in ended.err or "again's already" in ended.err) == (
        2,
        True,
    )


def test_a_port_that_is_taken_is_told(running: Running, tmp_path: Path) -> None:
    write(tmp_path)
    words = ("gateway", "--port", str(running.port))
    ended = astrio(*words, folder=tmp_path, environment=VARIABLES)
    assert ended.code == 2
    assert "it is taken" in ended.err


@pytest.mark.parametrize(
    "words", [("--proxy", "nonsense"), ("--address-rate", "fast"), ("--cert", "x.pem")]
)
def test_a_wrong_option_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    write(tmp_path)
    ended = astrio("gateway", *words, folder=tmp_path, environment=VARIABLES)
    assert (ended.code, "Error" in ended.err) == (2, True)


def test_a_folder_without_sources_is_served_and_told(tmp_path: Path) -> None:
    with gateway(tmp_path) as empty:
        assert eventually(lambda: "No integration here names" in empty.told())
        assert empty.post(signed()).status == 401


def test_the_sources_that_are_served_are_told_once_it_listens(tmp_path: Path) -> None:
    write(tmp_path, integration(), integration("unsigned", path="/hooks/new", scheme="secret"))
    with gateway(tmp_path) as process:
        assert eventually(lambda: "unsigned: The scheme" in process.told())
    assert process.lines[0] == "Webhook sources: shop at /webhooks/shop, unsigned at /hooks/new"


def test_refusals_are_told_while_it_runs(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        assert process.send(body=b"{}").status == 401
        told = "shop: 1 refused (missing), last from 127.0.0.1"
        assert eventually(lambda: told in process.lines)


def test_sigterm_lets_requests_under_way_end(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        delivery = signed(b'{"id": "' + b"x" * 50_000 + b'"}')
        answers: list[Answered] = []

        def slowly() -> Iterator[bytes]:
            yield delivery.body[:20_000]
            process.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            yield delivery.body[20_000:]

        def send() -> None:
            answers.append(process.send("POST", PATH, slowly(), delivery.headers))

        thread = threading.Thread(target=send)
        thread.start()
        thread.join()
        assert process.process.wait(30) == 0
    assert [each.status for each in answers] == [202]
    assert "every accepted event is in the inbox" in process.told()


def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        assert process.stop(signal.SIGINT) == 130


def test_files_that_change_are_taken_up_without_a_pause(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        assert process.post(signed(), "/hooks/new").status == 401
        write(tmp_path, integration("new", path="/hooks/new"))
        assert eventually(lambda: process.post(signed(), "/hooks/new").status == 202)
        (tmp_path / "new.json").write_text('{"source": [broken')
        assert eventually(lambda: "stay as they were" in process.told())
        assert process.post(signed(), "/hooks/new").status == 202


BROKEN: dict[str, Any] = {
    "trigger": {"on": ["order.*"], "filter": "total >", "push": {"to": [{"webhook": "crm"}]}},
    "api": {
        "name": "api",
        "source": {"python": "no_such_module:records"},
        "push": {"to": {"url": "sqlite:///a.db"}, "table": "t"},
    },
}


def test_a_mistake_in_another_file_is_a_warning_and_keeps_no_source_away(tmp_path: Path) -> None:
    write(tmp_path)
    for name, content in BROKEN.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / "torn.yaml").write_text("source: {api: {base_url: [}\n")
    with gateway(tmp_path) as process:
        assert process.post(signed()).status == 202
        assert eventually(lambda: "torn.yaml:1:" in process.told())
        for file in ("api.json:1:", "trigger.json:1:", "torn.yaml:1:"):
            (line,) = (each for each in process.lines if file in each)
            assert "warning: " in line
        write(tmp_path, integration("new", path="/hooks/new"))
        assert eventually(lambda: process.told().count("Webhook sources: ") == 2)
        assert process.told().count("torn.yaml:1:") == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("torn.yaml", "source:\n  webhook: {path: [}\n"),
        ("torn.json", '{"source": {"webhook": ['),
    ],
)
def test_a_file_that_cannot_be_read_and_seems_to_name_a_source_keeps_all_away(
    tmp_path: Path, file: str, text: str
) -> None:
    write(tmp_path)
    (tmp_path / file).write_text(text)
    ended = astrio("gateway", "--port", "0", folder=tmp_path, environment=VARIABLES)
    assert (ended.code, f"{file}:" in ended.err) == (2, True)


@pytest.mark.parametrize("torn", ["", "{", '{"source": 1}'])
def test_a_source_whose_file_is_torn_is_served_on(tmp_path: Path, torn: str) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        (tmp_path / "shop.json").write_text(torn)
        assert eventually(lambda: "stay as they were" in process.told())
        assert process.post(signed()).status == 202


def test_what_to_do_about_a_mistake_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        write(tmp_path, integration(rate="100/x"))
        advice = "  Mend the files; `astrio check` lists what is left."
        assert eventually(lambda: advice in process.lines)
        assert process.told().count("shop.json:1:") == 1


@pytest.mark.slow
def test_a_mistake_is_told_once_by_the_gateway_and_its_drainer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "astrio-home"))
    write(tmp_path)
    (tmp_path / "api.json").write_text(json.dumps(BROKEN["api"]))
    with gateway(tmp_path, "--drain") as process:
        delivery = signed()
        process.post(delivery)
        assert eventually(lambda: stored(delivery.id)[0].state == "done", 90)
        assert process.told().count("api.json:1:") == 1
        assert process.stop() == 0


def test_the_access_log_is_json_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    with gateway(tmp_path, "--access-log") as process:
        process.post(signed())
        process.post(signed(key=OTHER_KEY), "/webhooks/secret-in-the-path")
        assert eventually(lambda: len(process.out) == 2)
        first, second = map(json.loads, process.out)
    assert (first["source"], first["status"], first["reason"]) == ("shop", 202, "accepted")
    assert (second["source"], second["status"], second["reason"]) == (None, 401, "unknown_source")
    assert "secret-in-the-path" not in "".join(process.out)


def test_several_gateways_share_a_postgresql_inbox(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    variables = {"ASTRIO_LEDGER_URL": postgres_url}
    monkeypatch.setenv("ASTRIO_LEDGER_URL", postgres_url)
    monkeypatch.setenv("ASTRIO_HOME", str(tmp_path / "astrio-home"))
    with (
        gateway(tmp_path, environment=variables) as one,
        gateway(tmp_path, environment=variables) as other,
    ):
        delivery = signed()
        assert json.loads(one.post(delivery).body)["status"] == "accepted"
        assert json.loads(other.post(delivery).body)["status"] == "duplicate"
    assert len(listed(Which())) == 1


def test_tls_is_spoken_directly(tmp_path: Path) -> None:
    write(tmp_path)
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost")
    with gateway(tmp_path, "--cert", str(certificate), "--key", str(key)) as process:
        context = ssl.create_default_context(cafile=str(authority.ca))
        url = f"https://localhost:{process.port}/health/live"
        with urllib.request.urlopen(url, context=context, timeout=10) as answered:
            assert answered.status == 200


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "x.pem").write_text("nothing")
    words = ("--port", "0", "--cert", "x.pem", "--key", "x.pem", "--no-drain")
    ended = astrio("gateway", *words, folder=tmp_path, environment=VARIABLES)
    assert (ended.code, "--cert" in ended.err) == (2, True)


def test_sqlites_log_is_moved_into_the_file_while_it_runs(tmp_path: Path) -> None:
    write(tmp_path)
    with gateway(tmp_path) as process:
        for _ in range(30):
            process.post(signed(b"x" * 100_000))
        ledger = tmp_path / "astrio-home" / "ledger.db"
        assert eventually(lambda: ledger.stat().st_size > 2_500_000)
