from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrio.blocks import redaction
from astrio.blocks.redaction import MASK, redact, remember

SECRET = 'pa"ss/w\\ö rd+1\t&<x>'


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", {})
    monkeypatch.setattr(redaction, "_matchers", {})


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        html.escape(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(form: str) -> None:
    remember(SECRET)
    assert form.strip("'\"") not in redact(f"before {form} after")
    assert MASK in redact(form)


@given(st.text(max_size=9), st.text(max_size=9))
def test_a_known_secret_is_masked_inside_a_longer_base64_text(before: str, after: str) -> None:
    remember("correct horse battery")
    text = base64.b64encode(f"{before}correct horse battery{after}".encode()).decode()
    assert base64.b64encode(b"horse").decode()[:4] not in redact(text)
    assert MASK in redact(text)


@given(st.text(min_size=4, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_comes_through(secret: str, before: str, after: str) -> None:
    remember(secret)
    if secret not in MASK + before + after and secret not in before + MASK + after:
        assert secret not in redact(before + secret + after)


def test_each_line_of_a_long_secret_is_masked() -> None:
    remember("first line of a key 0123456789\nsecond line of a key 987654321\nshort")
    said = redact("it began: first line of a key 0123456789, then: second line of a key 987654321")
    assert said == "it began: ***, then: ***"


def test_the_longest_known_secret_is_masked_first() -> None:
    remember("abcd")
    assert redact("abcd-efgh") == "***-efgh"
    remember("abcd-efgh")
    assert redact("abcd-efgh") == "***"


def test_a_secret_shorter_than_four_characters_is_left() -> None:
    remember("abc")
    assert redact("abc") == "abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres://ada:hunter2@db/x", "postgres://***@db/x"),
        ("postgres://ada:p@ss@db/x", "postgres://***@db/x"),
        ("postgres://ada:p/ss?#@db/x", "postgres://***@db/x"),
        ("https://token@github.com/x", "https://***@github.com/x"),
        ("https://h/a?api_key=abc&b=1", "https://h/a?api_key=***&b=1"),
        ("https://h/a?b=1&access_token=abc#x", "https://h/a?b=1&access_token=***#x"),
        ("https://h/a?key=abc&sig=d&code=e", "https://h/a?key=***&sig=***&code=***"),
        ("client_secret=abc&grant_type=x", "client_secret=***&grant_type=x"),
        ("Authorization: Token abc def", "Authorization: ***"),
        ("Cookie: session=abc; b=c\nHost: x", "Cookie: ***\nHost: x"),
        ("sent Bearer abcdef.ghi-jkl then", "sent Bearer *** then"),
        ("Basic YWRhOmh1bnRlcjI=", "Basic ***"),
        ('{"password": "a\\"b", "x": 1}', '{"password": "***", "x": 1}'),
        ("{'api_key': 'abc', 'x': 1}", "{'api_key': '***', 'x': 1}"),
        ('"{\\"token\\": \\"abc\\"}"', '"{\\"token\\": \\"***\\"}"'),
        ('{"pwd": 12345}', '{"pwd": ***}'),
        ("connect(password='abc', x=1)", "connect(password='***', x=1)"),
        ("X-Shopify-Access-Token=abc", "X-Shopify-Access-Token=***"),
        ("key sk_live_0123456789abcdef!", "key ***!"),
        ("AKIAIOSFODNN7EXAMPLE", "***"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "***"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nmore",
            "***\nmore",
        ),
        ("-----BEGIN PRIVATE KEY-----\\nabc", "***"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/***"),
        ("https://discord.com/api/webhooks/1/abc", "https://discord.com/api/webhooks/***"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "GET https://h:8080/orders?page=3&page_token=abc (page 3)",
        "https://h/a?next_token=abc&nextPageToken=d&$skiptoken=e&sync_token=f",
        "http://localhost:4200/users/ada@example.com",
        "https://h/a?email=ada@example.com",
        "Basic authentication is required",
        "The bearer token is missing.",
        "keyboard=1&keys=2&monkey=3",
        "-----BEGIN CERTIFICATE-----",
        "",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=80))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_secret_between_blanks_is_masked_without_them_too() -> None:
    remember("  abcd ")
    remember("  ab ")
    assert redact("abcd ab") == "*** ab"


def test_long_texts_take_no_quadratic_time() -> None:
    for piece in ("a.", "a-", "://", "token", "Bearer ", "eyJ", "'", '"token":"', "a" * 9 + ":"):
        redact(piece * (40_000 // len(piece)))
