from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from contextlib import suppress
from typing import Any
from unittest.mock import ANY

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from astrio.blocks.api import Limits
from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.decode.archive import MOST_MEMBERS
from astrio.tasks.decode.choice import Decoding, decoders
from astrio.tasks.settings import ResponseSettings


def decode(
    content: bytes | str, kind: str = "", *, records: str = "$", url: str = "http://h/x",
    limit: int = 1 << 26, **settings: Any
) -> Any:  # fmt: skip
    data = content.encode() if isinstance(content, str) else content
    limits = Limits(max_response_bytes=limit, max_download_bytes=limit)
    decoding = Decoding(ResponseSettings.model_validate(settings), records, limits)
    return decoding.decode(data, {"content-type": kind}, url)


def refused(content: bytes | str, kind: str = "", **settings: Any) -> str:
    with pytest.raises(ApiAnswerError) as caught:
        decode(content, kind, **settings)
    assert len(str(caught.value)) < 600
    return caught.value.message


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_every_format_of_the_settings_has_a_decoder() -> None:
    named = set(ResponseSettings.model_json_schema()["properties"]["format"]["enum"])
    assert named == {"auto", *decoders()}


@pytest.mark.parametrize(
    ("content", "kind", "url"),
    [
        ('{"a": "é"}\n{"a": 2}\n', "application/x-ndjson", ""),
        ('{"a": "é"}\r\n\r\n{"a": 2}', "application/jsonl; charset=utf-8", ""),
        ('\ufeff{"a": "é"}\n{"a": 2}', "application/octet-stream", "http://h/a/x.jsonl?z=1"),
        ('{"a": "é"}\n{"a": 2}'.encode("utf-16"), "application/x-ndjson", ""),
        ('{"a": "é"}\n{"a": 2}'.encode("latin-1"), "application/jsonl; charset=latin-1", ""),
    ],
)
def test_json_lines_are_known_by_their_content_type_or_name(
    content: bytes | str, kind: str, url: str
) -> None:
    assert decode(content, kind, url=url) == [{"a": "é"}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a": ', "Line 2 of the answer is JSON that breaks off"),
        ('{"a": 1}\nnonsense\n', "Line 2 of the answer is no JSON"),
        ('{"a": 1}\n' + "[" * 100_000, "Line 2 of the answer is nested too deeply"),
        (b'{"a": "\xff"}', "Line 1 of the answer is not in the charset"),
        (b'{"a": 1}\n\0\0\0', "Line 2 of the answer is"),
        ("<html>Log in</html>", "is HTML, not JSON Lines"),
        ("1" * (17 << 20), "holds a line of more than"),
    ],
)
def test_a_broken_line_is_named(content: bytes | str, message: str) -> None:
    assert message in refused(content, format="jsonl")


def test_an_empty_body_is_no_json_lines() -> None:
    assert decode("", format="jsonl") == []


def test_broken_lines_can_be_kept_for_the_quarantine() -> None:
    first, broken, last = decode('{"a": 1}\n{"a": \n{"a": 3}', format="jsonl", broken="reject")
    assert (first, last) == ({"a": 1}, {"a": 3})
    assert broken == {"line": 2, "content": '{"a": \n'}
    assert "breaks off" in broken.reason


@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text())))
def test_json_lines_come_back_as_they_were(values: list[Any]) -> None:
    text = "".join(json.dumps(each) + "\n" for each in values)
    assert decode(text, format="jsonl") == values


@pytest.mark.parametrize(
    ("content", "settings", "records"),
    [
        ("id,name\r\n1,Ana\r\n2,\r\n", {}, [{"id": "1", "name": "Ana"}, {"id": "2", "name": ""}]),
        ('id,name\n"1","a ""b"",\nc"\n', {}, [{"id": "1", "name": 'a "b",\nc'}]),
        ("\ufeffid;name\n1;Ana\n", {"delimiter": ";"}, [{"id": "1", "name": "Ana"}]),
        ("id\n1\n\n2\n\n", {}, [{"id": "1"}, {"id": "2"}]),
        ("1,2\n", {"header": False}, [{"column_1": "1", "column_2": "2"}]),
        ("1,2\n", {"header": ["a", "b"]}, [{"a": "1", "b": "2"}]),
        ("Report\nof May\na,\n1,2\n", {"skip": 2}, [{"a": "1", "column_2": "2"}]),
        ("x,x\n1,2\n", {"header": ["a", "b"], "skip": 1}, [{"a": "1", "b": "2"}]),
        ("a\n" + "00123\n", {}, [{"a": "00123"}]),
        ("a,b\n", {}, []),
        ("", {}, None),
    ],
)
def test_rows_become_records_of_texts(content: str, settings: dict[str, Any], records: Any) -> None:
    assert decode(content, "text/csv", **settings) == records


def test_tabs_separate_where_the_type_says_so() -> None:
    assert decode("a\tb\n1,5\t2", "text/tab-separated-values") == [{"a": "1,5", "b": "2"}]
    assert decode("a\tb\n1,5\t2", format="tsv") == [{"a": "1,5", "b": "2"}]


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("a,b\n1,2\n3\n", {}, "Line 3 of the answer has 1 fields where the header has 2"),
        ("a,b\n1,2,3\n", {}, "Line 2 of the answer has 3 fields"),
        ("a,b,a\n1,2,3\n", {}, "names 1 columns more than once: a"),
        (",".join(map(str, range(10**6))) + "\n", {}, "1,000,000 columns, more than 10,000"),
        ('a,b\n1,"2\n3,4\n', {}, "is no CSV (line 3"),
        ('a,b\n1,"2"x\n', {}, "is no CSV (line 2"),
        ("a,b\n1,\0\n", {}, "holds a NUL in line 2"),
        (b"a\n\xff\n", {}, "not in the charset"),
        ("a\n1".encode("utf-16-le"), {}, "holds a NUL"),
        ("a\n" + '"' + "x\n" * 3_000_000, {}, "is no CSV"),
        ("x" * (17 << 20), {}, "endless line"),
        ("<!DOCTYPE html><p>", {}, "is HTML, not CSV"),
        ("a\n1", {"kind": "text/html"}, "is HTML, not CSV"),
        ('{"ok": false}', {"kind": "application/json"}, "is JSON, not CSV"),
        ("a\n1", {"kind": "text/csv; charset=klingon"}, "charset that is unknown"),
    ],
)
def test_a_table_that_cannot_be_trusted_is_refused(
    content: bytes | str, settings: dict[str, Any], message: str
) -> None:
    assert message in refused(content, format="csv", **settings)


def test_ragged_rows_can_be_kept_for_the_quarantine() -> None:
    good, ragged = decode("a,b\n1,2\n3\n", format="csv", broken="reject")
    assert (good, ragged) == ({"a": "1", "b": "2"}, {"line": 3, "content": ["3"]})
    assert ragged.reason == "The row has 1 fields where the header has 2."


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"],
       exclude_characters="\0\r"))] * 2)))  # fmt: skip
def test_a_table_comes_back_as_it_was(rows: list[tuple[str, str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    assert decode(file.getvalue(), format="csv") == [dict(zip("ab", row, strict=True))
                                                     for row in rows]  # fmt: skip


def test_charsets_are_honoured_everywhere() -> None:
    assert decode("a\nß".encode("cp1252"), "text/csv", charset="cp1252") == [{"a": "ß"}]
    assert decode("a\nß".encode("utf-16"), "text/csv") == [{"a": "ß"}]
    assert decode('["ß"]'.encode("cp1252"), "application/json", charset="cp1252") == ["ß"]
    assert decode("<a>ß</a>".encode("cp1252"), "text/xml; charset=cp1252") == {"a": "ß"}
    text = "<?xml version='1.0' encoding='iso-8859-1'?><a>ß</a>"
    assert decode(text.encode("latin-1"), "text/xml") == {"a": "ß"}
    assert decode(text.encode("utf-8"), "text/xml; charset=utf-8") == {"a": "ß"}
    with pytest.raises(ValidationError, match="no known charset"):
        ResponseSettings(charset="klingon")


ORDERS = """<?xml version="1.0"?><ns:orders xmlns:ns="urn:x" page="1">
<order id="7" ns:kind="b"><item>a</item><item>b</item><note/></order>{more}</ns:orders>"""
ORDER = {"@id": "7", "@kind": "b", "item": ["a", "b"], "note": None}


def test_elements_become_objects() -> None:
    body = decode(ORDERS.format(more="<next>2</next>"), "application/xml", records="orders.order")
    assert body == {"orders": {"@page": "1", "order": [ORDER], "next": "2"}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<a>x</a>", "x"), ("<a/>", None), ("<a b='1'/>", {"@b": "1"}),
        ("<a b='1'> x </a>", {"@b": "1", "#text": "x"}),
        ("<a>x<b>y</b>z</a>", {"b": "y", "#text": "xz"}),
        ("<a><b/><b>1</b></a>", {"b": [None, "1"]}), ("<a><![CDATA[<&>]]></a>", "<&>"),
    ],
)  # fmt: skip
def test_text_attributes_and_children_keep_apart(text: str, value: Any) -> None:
    assert decode(text, format="xml") == {"a": value}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("<o><r>1</r></o>", "$.o.r[*]", {"o": {"r": ["1"]}}),
        ("<o/>", "$.o.r", {"o": {"r": []}}),
        ("<o><n>0</n></o>", "o.r", {"o": {"n": "0"}}),
        ("<r>1</r>", "r", {"r": ["1"]}),
        ("<o><g><r>1</r></g></o>", "o.g[*].r", {"o": {"g": [{"r": ["1"]}]}}),
        ("<o><x><r>1</r></x><r>2</r></o>", "o.r", {"o": {"x": {"r": "1"}, "r": ["2"]}}),
        ("<o><r>1</r></o>", "$..r", {"o": {"r": "1"}}),
    ],
)
def test_what_the_records_path_names_is_always_a_list(text: str, path: str, value: Any) -> None:
    assert decode(text, format="xml", records=path) == value


BOMB = '<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><a>&y;</a>'
FILE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "declares entities"), (FILE, "declares entities"),
        ("<a><b>1</b>", "is no whole XML (line 1"), ("<a></b>", "is no whole XML"),
        ("<a>\0</a>", "is no whole XML"), ("", "is empty"), ("<html><p>Log in</html>", "is HTML"),
        ("<a>" * 100_000, "nested more than 200 levels"), (b"<a>\xff</a>", "is no whole XML"),
        ("<?xml version='1.0' encoding='klingon'?><a/>", "not in the charset"),
    ],
)  # fmt: skip
def test_xml_that_is_hostile_or_broken_is_refused(text: str | bytes, message: str) -> None:
    assert message in refused(text, format="xml")


def test_packed_files_are_unpacked_whatever_their_type() -> None:
    packed = gzip.compress(b"a\n1\n")
    assert decode(packed, "text/csv") == [{"a": "1"}]
    assert decode(packed, "application/gzip", url="http://h/e/x.csv.gz?t=1") == [{"a": "1"}]
    assert decode(gzip.compress(b"[1]"), "application/json") == [1]


def test_the_members_of_an_archive_are_read_one_after_the_other() -> None:
    archive = zipped({
        "a.csv": b"a\n1\n", "d/b.jsonl": b'{"a": 2}', "__MACOSX/a.csv": b"x", "d/.DS": b"x",
        "e/": b"",
    })  # fmt: skip
    assert decode(archive, "application/zip") == [{"a": "1"}, {"a": 2}]
    assert decode(archive, "application/zip", unzip="*.jsonl") == [{"a": 2}]
    assert decode(zipped({"a.json": b'{"x": 1}'}), "application/octet-stream") == {"x": 1}


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (gzip.compress(b"[1, 2, 3]" * 100)[:-9], {}, "damaged or breaks off"),
        (b"\x1f\x8bnonsense", {}, "damaged or breaks off"),
        (zipped({"a.csv": b"a\n1"})[:-30], {}, "damaged or breaks off"),
        (zipped({"a.csv": b"a\n1" * 999}).replace(b"a.csv", b"a.csv", 1)[:60], {}, "damaged"),
        (zipped({"a.csv": b"a"}), {"unzip": "*.xml"}, "no member '*.xml'; it holds a.csv"),
        (zipped({}), {}, "it holds nothing"),
        (zipped({"a.json": b"{}", "b.json": b"{}"}), {}, "2 members that are no lists"),
        (zipped({str(n): b"" for n in range(MOST_MEMBERS + 1)}), {}, "1,001 members"),
        (gzip.compress(b"x" * 5000), {"limit": 4000}, "unpacks to more than 4,000 bytes"),
        (
            zipped({"a.csv": b"x" * 3000, "b.csv": b"x" * 3000}),
            {"limit": 4000},
            "more than 4,000 bytes",
        ),
        (gzip.compress(b" " * (40 << 20)), {}, "more than 1,000 times its size"),
    ],
    # Without names of their own they would have the time of their making in them.
    ids=[
        "gzip breaks off",
        "no gzip",
        "zip breaks off",
        "start of a zip",
        "no such member",
        "nothing",
        "no lists",
        "very many members",
        "gzip too large",
        "zip too large",
        "bomb",
    ],
)
def test_an_archive_that_is_hostile_or_broken_is_refused(
    content: bytes, settings: dict[str, Any], message: str
) -> None:
    assert message in refused(content, **settings)


def test_an_encrypted_member_is_refused() -> None:
    archive = bytearray(zipped({"a.csv": b"a\n1"}))
    archive[6] |= 1
    archive[archive.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(archive))


@given(st.binary(max_size=60), st.sampled_from(["csv", "tsv", "jsonl", "xml", "json", "auto"]))
def test_any_bytes_are_a_value_or_an_answer_error(content: bytes, name: str) -> None:
    for packed in (content, b"\x1f\x8b" + content, b"PK\x03\x04" + content):
        with suppress(ApiAnswerError):
            decode(packed, format=name)


@pytest.mark.parametrize("name", ["csv", "jsonl", "xml"])
def test_a_large_body_is_decoded_piece_by_piece(name: str) -> None:
    rows = [{"a": str(n)} for n in range(5500)]
    texts = {
        "csv": "a\n" + "\n".join(row["a"] for row in rows),
        "jsonl": "\n".join(map(json.dumps, rows)),
        "xml": "<o x='1'>" + "".join(f"<r><a>{row['a']}</a></r>" for row in rows) + "<n>2</n></o>",
    }
    decoding = Decoding(ResponseSettings.model_validate({"format": name}), "o.r")
    pieces = list(decoding.pieces(io.BytesIO(texts[name].encode()), {}, ""))
    values = [piece.value for piece in pieces]
    lists = [each["o"]["r"] for each in values] if name == "xml" else values
    assert [row for each in lists for row in each] == rows
    assert len(pieces) >= 3
    assert max(map(len, lists)) < 2500
    if name == "xml":
        assert values[-1]["o"] == {"@x": "1", "r": ANY, "n": "2"}


@pytest.mark.parametrize("name", ["csv", "jsonl", "xml"])
def test_pieces_of_large_records_are_bounded_in_bytes(name: str) -> None:
    filling = "x" * 1_000_000
    texts = {
        "csv": "a\n" + f"{filling}\n" * 20,
        "jsonl": f'{{"a":"{filling}"}}\n' * 20,
        "xml": "<o>" + f"<r><a>{filling}</a></r>" * 20 + "</o>",
    }
    decoding = Decoding(ResponseSettings.model_validate({"format": name}), "o.r")
    pieces = list(decoding.pieces(io.BytesIO(texts[name].encode()), {}, ""))
    assert 4 <= len(pieces) <= 6
    assert max(piece.size for piece in pieces) < 6_000_000
    assert sum(piece.size for piece in pieces) == len(texts[name])
    lists = [each.value["o"]["r"] if name == "xml" else each.value for each in pieces]
    assert [row["a"] for each in lists for row in each] == [filling] * 20
