"""`sanitize:`, what is done with texts before the rules judge them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.tasks.rules.judging import batch, compiled, judged, rewritten

from astrio.tasks.rules.sanitizers.strip_html import sanitize as strip_html


@pytest.mark.parametrize(
    ("names", "value", "wanted"),
    [
        (["trim"], "  a b \n", "a b"),
        (["trim"], None, None),
        (["trim"], 7, 7),
        (["trim"], [" a "], [" a "]),
        (["empty_to_null"], "", None),
        (["empty_to_null"], " ", " "),
        (["trim", "empty_to_null"], " ", None),
        (["normalize_unicode"], "e\u0301", "é"),
        (["normalize_unicode"], "é" * 40, "é" * 40),
        (["normalize_unicode"], "a" + "\u0301" * 30, "á" + "\u0301" * 29),
        (["normalize_unicode"], "日本語" * 20, "日本語" * 20),
        (["normalize_unicode"], "\ud800é", "\ud800é"),
        (["strip_html"], "<p>a</p><p>b</p>", " a  b "),
        (["strip_html", "trim"], "<b>a</b> &amp; <i class='x'>b</i>", "a & b"),
        (["empty_to_null", "strip_html"], "<b></b>", ""),
    ],
)
def test_texts_are_sanitised_in_the_order_named(names: list[str], value: Any, wanted: Any) -> None:
    assert rewritten({"sanitize": names}, value) == wanted


def test_the_rules_judge_what_is_left() -> None:
    rule = {"sanitize": ["trim", "empty_to_null"], "required": True, "min": 2}
    assert judged(rule, "  ") == ["is required"]
    assert judged(rule, " a ") == ["is shorter than 2 characters"]
    assert judged(rule, " ab ") == []


def test_later_entries_and_expressions_see_what_is_left() -> None:
    columns = ("name", "code")
    checked = compiled(
        {"field": "name", "sanitize": ["trim"]},
        {"field": "name", "in": ["Ada"]},
        {"expr": "name == 'Ada'"},
        columns=columns,
    )
    before = batch(columns, (" Ada ", 1))
    assert checked.validate(before).rows == [("Ada", 1)]
    assert before.rows == [(" Ada ", 1)]


def test_a_path_into_an_object_is_sanitised_in_a_copy() -> None:
    source = {"name": " Ada "}
    checked = compiled({"field": "customer.name", "sanitize": ["trim"]}, columns=("customer",))
    assert checked.validate(batch(("customer",), (source,))).rows == [({"name": "Ada"},)]
    assert source == {"name": " Ada "}


def test_what_cannot_be_sanitised_is_told_and_left_as_it_is() -> None:
    rule = {"sanitize": ["normalize_unicode"]}
    assert judged(rule, "a" + "\u0301\u0327" * 16) == ["has more than 30 combining marks in a row"]
    assert judged({"sanitize": ["strip_html"]}, "&#" + "9" * 5_000 + ";") == ["cannot be sanitised"]
    assert rewritten(rule | {"severity": "warning"}, "a" + "\u0301" * 31) == "a" + "\u0301" * 31


def test_sanitising_is_only_for_records_for_which_the_condition_is_true() -> None:
    columns = ("name", "clean")
    entry = {"field": "name", "sanitize": ["trim"], "when": "clean"}
    after = compiled(entry, columns=columns).validate(batch(columns, (" a", True), (" b", False)))
    assert after.rows == [("a", True), (" b", False)]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("a < b and c > d", "a < b and c > d"),
        ("1 <2 <3", "1 <2 <3"),
        ("<b>bold</b>", "bold"),
        ("<B>bold</B >", "bold"),
        ("a<br>b<br/>c", "a b c"),
        ('<a title="x>y" href=z>link</a>', "link"),
        ("<a title = 'x>y'>link</a>", "link"),
        ("<p it's>text</p>", " text "),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("a<!-- <b>hidden</b> -->b", "ab"),
        ("a<!-->b<!--->c", "abc"),
        ("a<!--x--!>b", "ab"),
        ("a<!doctype html>b<?php x ?>c", "abc"),
        ("a</ b>c", "ac"),
        ("a<script>alert('<b>')</script>b", "ab"),
        ("a<SCRIPT src='x'>alert(1)</script\n>b", "ab"),
        ("a<style>p {}</style>b", "ab"),
        ("a<script>never ends", "a"),
        ("a<script>x</scripty>y</script>b", "ab"),
        ("<scr<script>ipt>alert(1)</script>", "ipt>alert(1)"),
        ("<<b>b>x", "< b>x"),
        ("&lt;b&gt;x&lt;/b&gt;", "x"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;x", "x"),
        ("a &lt; b", "a < b"),
        ("x <y and no more", "x < y and no more"),
        ("<img src=x onerror=alert(1) ", "< img src=x onerror=alert(1) "),
        ("<a href='x>b", "< a href='x>b"),
        ("a<!-- never ends", "a< !-- never ends"),
        ("caf&eacute; &#8364; &copy", "café € ©"),
        ("</>", "< />"),
    ],
)
def test_html_becomes_text(html: str, text: str) -> None:
    assert strip_html(html) == text


PIECES = "< > </ <b <script </script <!-- --> &lt; &gt; &amp; ' = a b> ! ? / <style> &#60; é"
MARKUP = st.lists(st.sampled_from([*PIECES.split(), '"', " ", "\0"]), max_size=40).map("".join)


@settings(max_examples=500, deadline=None)
@given(MARKUP | st.text())
@example("<&lt;b>")
def test_no_markup_is_left_whatever_is_given(html: str) -> None:
    assert re.search("<[A-Za-z/!?]", strip_html(html)) is None


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="<&\r\0", exclude_categories=["Cs"])))
def test_what_is_no_markup_is_kept(text: str) -> None:
    assert strip_html(f"<b>{text}</b>") == strip_html(text) == text


LONG = [
    "<",
    "<a",
    "<a ",
    "<a '",
    '<a ="',
    "<!--",
    "<!",
    "</",
    "&lt;a",
    "<script>",
    "<b>",
    "= ",
    "&",
]


@pytest.mark.parametrize("piece", LONG)
def test_long_malformed_markup_takes_linear_time(piece: str) -> None:
    # At quadratic cost the largest would take hours.
    assert isinstance(strip_html(piece * (1_000_000 // len(piece))), str)
