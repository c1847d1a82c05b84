"""What is deployed of integrations that push to files: paths and secrets that hold for workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrio.deployments.deploying.collecting import collect

SOURCE = 'name: orders\nsource: {api: {base_url: "https://a.example"}, request: {path: /o}}\n'
S3 = "push: {to: {s3: {bucket: b, key: a.csv, access_key_id: A, secret_access_key: %s}}}\n"


def mistakes(folder: Path, push: str, *, pooled: bool) -> list[str]:
    file = folder / "orders.yaml"
    file.write_text(SOURCE + push, encoding="utf-8")
    return collect([file], pooled=pooled).mistakes.get(file, [])


@pytest.mark.parametrize(
    ("path", "pooled", "words"),
    [
        ("out/a.csv", True, "3:19: a worker runs in a folder of its own: give an absolute path"),
        ("out/a.csv", False, ""),
        ("/data/a.csv", True, ""),
    ],
)
def test_a_worker_needs_an_absolute_path(
    tmp_path: Path, path: str, words: str, *, pooled: bool
) -> None:
    told = mistakes(tmp_path, f"push: {{to: {{file: {path}}}}}\n", pooled=pooled)
    assert [line.partition("orders.yaml:")[2] for line in told] == [words] * bool(words)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_worker_needs_an_absolute_path_to_a_database(tmp_path: Path, kind: str) -> None:
    push = "push: {{to: {{url: '{}'}}, table: t}}\n"
    (told,) = mistakes(tmp_path, push.format(f"{kind}:///shop.db"), pooled=True)
    assert told.endswith(f"give an absolute path ({kind}:////…)")
    assert mistakes(tmp_path, push.format(f"{kind}:////data/shop.db"), pooled=True) == []


@pytest.mark.parametrize(("secret", "count"), [("a-secret-written-out", 1), ("'${env:LAKE}'", 0)])
def test_a_secret_that_is_written_out_is_not_deployed(
    tmp_path: Path, secret: str, count: int
) -> None:
    told = mistakes(tmp_path, S3 % secret, pooled=False)
    assert len(told) == count
    assert all("written out in `push.to.s3.secret_access_key`" in line for line in told)
    assert "a-secret" not in str(told)
