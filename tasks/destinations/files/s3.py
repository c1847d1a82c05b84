"""Objects in S3: gathered on this machine, uploaded in parts, shown by the last request.

An object that is uploaded in parts does not exist before they are put together. The ledger knows
the upload before its first part is sent, so that whoever comes next can put it together, or abort
it. Its run's id is among its metadata: that tells whether an object that is there is the run's.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from hashlib import md5
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from astrio.blocks.errors import AstrioError
from astrio.blocks.secrets import resolve
from astrio.tasks.destinations.files.place import NotShownYetError, Traces
from astrio.tasks.destinations.files.s3_client import (
    Unanswered,
    client_of,
    code_of,
    explained,
    is_gone,
    meaning,
)
from astrio.tasks.destinations.files.s3_settings import S3Settings
from astrio.tasks.destinations.files.spool import remove_pieces
from astrio.tasks.destinations.sql.digests import digest
from astrio.tasks.ledger.home import make_astrio_home

_PART: Final = 8 << 20
_MOST_PARTS: Final = 10_000
_RUN: Final = "astrio-run"
_CONDITION_UNKNOWN: Final = ("NotImplemented", "InvalidArgument", "InvalidRequest")


class S3Objects:
    """A bucket."""

    def __init__(self, settings: S3Settings, stream: str) -> None:
        """Take the settings; nothing is sent yet.

        Raises:
            ConfigurationError: a variable is not set, or AWS's own settings are wrong.
        """
        self._bucket = resolve(settings.bucket)
        self._client = client_of(settings)
        self._folder = f"spool-{digest(stream)}"

    def plan(self, name: str, run_id: str) -> Traces:
        """Name the object."""
        return {"key": name, "run": run_id}

    def begin(self, traces: Traces) -> Traces:
        """Begin an upload, which fails at once if the bucket cannot be written to."""
        folder = make_astrio_home() / self._folder
        folder.mkdir(mode=0o700, exist_ok=True)
        for left in folder.iterdir():
            left.unlink()  # by runs that were killed: only one of a stream is at work
        with explained(self.shown(traces)):
            begun = self._client.create_multipart_upload(
                **self._object(traces), Metadata={_RUN: traces["run"]}
            )
        spool = str(folder / traces["run"])
        return traces | {"upload": begun["UploadId"], "temporary": spool}

    def spool(self, traces: Traces) -> Path:
        """Return the path of the temporary file, in ASTRIO_HOME."""
        return Path(traces["temporary"])

    def secure(self, traces: Traces, *, adds: bool) -> Traces:
        """Upload the temporary file in parts, after which it is not needed."""
        path = self.spool(traces)
        parts: list[dict[str, Any]] = []
        size = max(_PART, -(-path.stat().st_size // _MOST_PARTS))
        with path.open("rb") as file:
            while (body := file.read(size)) or not parts:
                parts.append(self._upload(traces, len(parts) + 1, body))
        path.unlink()
        return traces | {"parts": parts, "adds": adds}

    def publish(self, traces: Traces) -> bool:
        """Put the parts together, which shows the object."""
        condition = {"IfNoneMatch": "*"} if traces["adds"] else {}
        try:
            self._complete(traces, condition)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _CONDITION_UNKNOWN and condition:
                return self.publish(traces | {"adds": False})
            return self._despite(error, traces)
        return True

    def discard(self, traces: Traces) -> None:
        """Abort the upload, and remove the temporary file; what cannot be is left."""
        if temporary := traces.get("temporary"):
            with suppress(OSError):
                remove_pieces(Path(temporary))
                Path(temporary).unlink(missing_ok=True)
        for upload in self._uploads(traces):
            with suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(**self._object(traces), UploadId=upload)

    def there(self, traces: Traces) -> bool:
        """Whether there is such an object; where that may not be asked: no."""
        try:
            self._client.head_object(**self._object(traces))
        except (ClientError, BotoCoreError):
            return False
        return True

    def on_disk(self, traces: Traces) -> Path:
        """Return the temporary file's path."""
        return self.spool(traces)

    def shown(self, traces: Traces) -> str:
        """Return the object's URL."""
        return f"s3://{self._bucket}/{traces['key']}"

    def _object(self, traces: Traces) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": traces["key"]}

    def _upload(self, traces: Traces, number: int, body: bytes) -> dict[str, Any]:
        # Every store knows this checksum; it is no protection, but notices a fault on the way.
        checksum = base64.b64encode(md5(body, usedforsecurity=False).digest()).decode()
        with explained(self.shown(traces)):
            done = self._client.upload_part(
                **self._object(traces),
                UploadId=traces["upload"],
                PartNumber=number,
                Body=body,
                ContentMD5=checksum,
            )
        return {"PartNumber": number, "ETag": done["ETag"]}

    def _complete(self, traces: Traces, condition: dict[str, str]) -> None:
        self._client.complete_multipart_upload(
            **self._object(traces),
            UploadId=traces["upload"],
            MultipartUpload={"Parts": traces["parts"]},
            **condition,
        )

    def _despite(self, error: Exception, traces: Traces) -> bool:
        """Find out whether the object is shown although completing the upload failed.

        Raises:
            NotShownYetError: that cannot be told.
            AstrioError: it is not shown, and will not be.
        """
        name = self.shown(traces)
        try:
            if self._is_ours(traces):
                return True
        except AstrioError as unseen:
            if self._upload_is_gone(error, traces):
                raise _unknown(name, unseen) from None
        else:
            if self._upload_is_gone(error, traces):
                return False
        told = meaning(error, name)
        raise (_unknown(name, told) if isinstance(told, Unanswered) else told) from None

    def _upload_is_gone(self, error: Exception, traces: Traces) -> bool:
        """Whether the store knows no such upload any more; some say so only if they are asked."""
        if is_gone(error):
            return True
        try:
            self._client.list_parts(**self._object(traces), UploadId=traces["upload"], MaxParts=1)
        except (ClientError, BotoCoreError) as told:
            return is_gone(told)
        return False

    def _is_ours(self, traces: Traces) -> bool:
        """Whether the object that is there is the run's; raises AstrioError if that is not told."""
        with explained(self.shown(traces)):
            try:
                found = self._client.head_object(**self._object(traces))
            except ClientError as error:
                if is_gone(error):
                    return False
                raise
        return bool(found.get("Metadata", {}).get(_RUN) == traces["run"])

    def _uploads(self, traces: Traces) -> list[str]:
        """Return the uploads that were begun for the object: noted, or else found."""
        if "upload" in traces:
            return [traces["upload"]]
        with suppress(ClientError, BotoCoreError):
            found = self._client.list_multipart_uploads(
                Bucket=self._bucket, Prefix=traces["key"]
            ).get("Uploads", ())
            return [each["UploadId"] for each in found if each["Key"] == traces["key"]]
        return []


def _unknown(name: str, why: AstrioError) -> NotShownYetError:
    return NotShownYetError(
        f"It is not known whether {name} is in its place: {why.message}",
        advice="Run again: the next run finds out, and puts it there if it is not. It has to be "
        "allowed s3:GetObject and s3:ListBucket.",
    )
