"""Trigger files: the product page's form, and what they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astrio.blocks.errors import ConfigurationError
from astrio.blocks.webhooks.target import WebhookTarget
from astrio.deployments.delivering.registering import register, trigger_of
from astrio.deployments.deploying.collecting import Collected, collect, folder_files
from astrio.flows.reading.read import LoadedTrigger, read_file, read_integration
from astrio.flows.trigger import TriggerFile
from astrio.tasks.webhooks.outbox.triggers import known_triggers

PAGE = """\
{
event: 'user.created',
webhook: 'https://external-service.com/webhook',
payload: {
userId: '{{user.id}}',
email: '{{user.email}}',
timestamp: '{{timestamp}}'
}
}
"""


def read(folder: Path, text: str, name: str = "sign-ups.yaml") -> TriggerFile:
    (folder / name).write_text(text)
    loaded = read_file(folder / name)
    assert isinstance(loaded, LoadedTrigger)
    return loaded.trigger


def targets(file: TriggerFile) -> dict[str, Any]:
    return {
        name: target if isinstance(target, str) else target.url for name, target in file.targets()
    }


def test_the_product_pages_form_is_a_trigger_with_the_files_name(tmp_path: Path) -> None:
    file = read(tmp_path, PAGE)
    assert (file.name, file.on) == ("sign-ups", ("user.created",))
    assert targets(file) == {"sign-ups": "https://external-service.com/webhook"}
    assert file.payload["userId"] == "{{user.id}}"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("{webhook: crm}", {"crm": "crm"}),
        ('{webhook: "https://a.example/x"}', {"t": "https://a.example/x"}),
        ('{webhook: "${env:URL}"}', {"t": "${env:URL}"}),
        ('{webhook: "https://a.example", secret: "${env:S}"}', {"t": "https://a.example"}),
        ('{webhook: {url: "https://a.example", timeout: 5}}', {"t": "https://a.example"}),
        (
            '[{webhook: crm}, {webhook: "https://a.example"}]',
            {"crm": "crm", "t-2": "https://a.example"},
        ),
    ],
)
def test_targets_are_saved_or_written_out(
    tmp_path: Path, to: str, expected: dict[str, str]
) -> None:
    file = read(tmp_path, f"name: t\non: [order.*, user.created]\npush: {{to: {to}}}\n")
    assert targets(file) == expected
    assert trigger_of(file).targets == tuple(expected)


def test_the_product_pages_retry_is_the_schedule_of_targets_written_out(tmp_path: Path) -> None:
    retry = "{maxRetries: 3, retryDelay: 1000, backoffMultiplier: 2, retryOnStatus: [500]}"
    text = f'on: a\npush: {{to: {{webhook: "https://a.example"}}}}\nretry: {retry}\n'
    [(_, target)] = read(tmp_path, text).targets()
    assert isinstance(target, WebhookTarget)
    assert target.retry.schedule() == (0.0, 1.0, 2.0, 4.0)
    assert target.retry.retry_on_status == (500,)


def test_a_trigger_is_no_integration(tmp_path: Path) -> None:
    read(tmp_path, PAGE)
    with pytest.raises(ConfigurationError, match="is a trigger") as caught:
        read_integration(tmp_path / "sign-ups.yaml")
    assert "events emit" in caught.value.advice


def test_a_secret_that_is_written_out_is_not_served(tmp_path: Path) -> None:
    read(tmp_path, 'on: a\npush: {to: {webhook: "https://a.example", secret: whsec_YWJj}}\n')
    collected = collect(folder_files(tmp_path))
    assert collected.triggers == []
    [(_, [line])] = collected.mistakes.items()
    assert "whsec_YWJj" not in line


def registered() -> list[str]:
    return [trigger.name for trigger, _ in known_triggers()]


def test_triggers_are_registered_and_forgotten_with_their_files(tmp_path: Path, home: Path) -> None:
    def again() -> Collected:
        collected = collect(folder_files(tmp_path))
        register(collected, [tmp_path])
        return collected

    (tmp_path / "integrations").mkdir()
    read(tmp_path, PAGE, "one.yaml")
    read(tmp_path / "integrations", PAGE, "two.yaml")
    again()
    assert registered() == ["one", "two"]
    (tmp_path / "two.yaml").write_text("on: [\n")
    (tmp_path / "one.yaml").write_text("on: bad name\npush: {to: {webhook: crm}}\n")
    assert again().mistakes
    assert registered() == ["one", "two"]
    (tmp_path / "one.yaml").unlink()
    register(collect([]), [tmp_path / "elsewhere"])
    assert registered() == ["one", "two"]
    again()
    assert registered() == ["two"]


def test_a_folder_without_triggers_makes_no_ledger(tmp_path: Path, home: Path) -> None:
    register(collect([]), [tmp_path])
    assert not home.exists()
