"""What well-known services do not accept, or ignore: told as warnings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from astrio.flows.reading.actions import is_action, sends_an_action
from astrio.flows.reading.mistakes import Mistake, Place
from astrio.flows.reading.node import Node

Found = Iterator[tuple[Place, str, str]]


def check(root: Node) -> Iterator[Mistake]:
    """Yield what is known not to work at the service that an action's URL leads to."""
    to, url = root.at("push", "to"), root.text("push", "to", "url")
    if to is None or url is None or not (is_action(root) or sends_an_action(root)):
        return
    for pattern, judge in _VENDORS.items():
        if re.match(rf"https?://{pattern}", url, re.IGNORECASE):
            for place, path, words in judge(to):
                yield Mistake.at(place, f"push.to.{path}", words, warning=True)


def _slack(to: Node) -> Found:
    url = to.at("url")
    if url and "${" not in str(url.value):
        yield url.place, "url", "this URL is a secret: use ${env:NAME} and set the variable"
    body = to.at("body")
    for key in ("channel", "username", "icon_emoji", "icon_url"):
        if body and (entry := body.entry(key)):
            words = f"Slack's incoming webhooks ignore or refuse `{key}`: the webhook is bound to "
            yield entry.place, f"body.{key}", words + "one channel; leave it out"


def _discord(to: Node) -> Found:
    url = to.at("url")
    if url is None:
        return
    if "${" not in str(url.value):
        yield url.place, "url", "this URL is a secret: use ${env:NAME} and set the variable"
    if "wait=" not in str(url.value) and not to.at("params", "wait"):
        words = "Discord tells of a message that it does not keep only with `?wait=true`"
        yield url.place, "url", words


def _google_analytics(to: Node) -> Found:
    if url := to.at("url"):
        words = "Google has switched `/collect` off: it answers, and keeps nothing; use GA4's "
        words += "/mp/collect?measurement_id=…&api_secret=${env:GA_SECRET}, with `client_id` and "
        yield url.place, "url", words + "`events`"
    label = to.at("body", "el")
    if label and "mail" in str(label.value):
        words = "Google's terms forbid e-mail addresses in events: leave it out"
        yield label.place, "body.el", words


def _mixpanel(to: Node) -> Found:
    properties = to.at("body", "properties")
    if properties is None or properties.entries is None:
        return
    if properties.entry("token") is None:
        words = "Mixpanel takes an event only with the project's `token` among its properties"
        yield properties.place, "body.properties", words
    if properties.entry("$insert_id") is None:
        words = "without `$insert_id` Mixpanel counts an event that is sent twice twice"
        yield properties.place, "body.properties", words


def _s3(to: Node) -> Found:
    headers = to.at("headers")
    for name, entry in ((headers.entries if headers else None) or {}).items():
        if name.lower() == "authorization":
            words = "AWS wants a signature of each request, so that no fixed one is accepted: use "
            words += "auth: {type: aws_sigv4, access_key_id: …, secret_access_key: …, region: …, "
            yield entry.place, f"headers.{name}", words + "service: s3}"


def _cloudinary(to: Node) -> Found:
    url = to.at("url")
    signed = to.at("auth") or to.at("headers", "Authorization")
    fields = [body for kind in ("body", "form", "multipart") if (body := to.at(kind))]
    named = ("upload_preset", "signature")
    if url and not signed and not any(body.at(key) for body in fields for key in named):
        words = "Cloudinary takes an upload with an `upload_preset`, a signature, or "
        yield url.place, "url", words + "auth: {type: basic, username: KEY, password: SECRET}"


_VENDORS: Final[Mapping[str, Callable[[Node], Found]]] = {
    r"hooks\.slack\.com/": _slack,
    r"(?:canary\.|ptb\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/": _discord,
    r"(?:www|ssl)\.google-analytics\.com/(?:batch|collect)": _google_analytics,
    r"api(?:-eu|-in)?\.mixpanel\.com/track": _mixpanel,
    r"[a-z0-9.-]*s3[a-z0-9.-]*\.amazonaws\.com/": _s3,
    r"api(?:-eu|-ap)?\.cloudinary\.com/v1_1/": _cloudinary,
}
