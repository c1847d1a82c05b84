"""Form bodies as Twilio and Mailchimp Transactional sign them: every name and value, sorted."""

from __future__ import annotations

from urllib.parse import parse_qsl

from astrio.blocks.webhooks.reading import Headers, Refusal, optional

_MOST_FIELDS = 1000
FORM = "application/x-www-form-urlencoded"


def is_form(headers: Headers) -> bool:
    """Whether the body is a form, as its content type says."""
    found = optional(headers, b"content-type") or b""
    return found.partition(b";")[0].strip().lower() == FORM.encode()


def parameters(body: bytes) -> list[tuple[str, str]]:
    """Read the fields of a form, in order.

    Raises:
        Refusal: it is no form, or has more than a thousand fields.
    """
    if not body:
        return []
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise Refusal("malformed") from None
