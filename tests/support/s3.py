"""A real S3 on loopback, by moto, started by the test itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "an-example-of-a-secret"}


@dataclass(frozen=True)
class Bucket:
    """A bucket of the test's own.

    Attributes:
        url: the store's.
        name: the bucket's.
        client: botocore's, to look at it from outside.
    """

    url: str
    name: str
    client: Any

    def to(self, **more: Any) -> dict[str, Any]:
        """Return the settings of `push.to.s3` for it."""
        return {"bucket": self.name, "endpoint_url": self.url, **KEYS, **more}

    def names(self) -> list[str]:
        """Return the names of all objects, in order."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", ())
        return sorted(each["Key"] for each in found)

    def read(self, key: str) -> bytes:
        """Return an object's bytes."""
        body: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def uploads(self) -> list[str]:
        """Return the names of objects whose upload was begun and is not ended."""
        found = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())
        return [each["Key"] for each in found]


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The store's URL."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_url: str) -> Bucket:
    """A new bucket."""
    client = client_of(s3_url)
    name = f"b-{uuid4().hex}"
    client.create_bucket(Bucket=name)
    return Bucket(s3_url, name, client)


def client_of(url: str) -> Any:
    """Return a client of a store."""
    from botocore.session import get_session

    return get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=KEYS["access_key_id"],
        aws_secret_access_key=KEYS["secret_access_key"],
    )
