"""An entry's own `message:` with its placeholders."""

from __future__ import annotations

from typing import Any

from astrio.blocks.errors import RecordRejectedError
from astrio.tasks.mapping.compile import guarded
from astrio.tasks.mapping.context import MappingContext
from astrio.tasks.mapping.generate import compile_node
from astrio.tasks.mapping.parser import parse_template
from astrio.tasks.mapping.syntax import Literal, Node, Template
from astrio.tasks.mapping.values import as_text
from astrio.tasks.rules.expressions import names_read, reads
from astrio.tasks.rules.redaction import redacted

_LONGEST = 200


class Message:
    """A text with `{field}`, `{value}` (redacted) and `{{ expression }}` over the mapped record.

    An expression that reads the judged field itself is shown as `{value}` is: by kind and size.

    Attributes:
        names: the top-level names of the record that are needed; None: all.
    """

    def __init__(self, text: str, field: str | None, context: MappingContext) -> None:
        """Take a text without mistakes, and the field that is judged."""
        node = parse_template(text.replace("{field}", field or "the record"))
        parts = node.children if isinstance(node, Template) else (node,)
        self._parts = [_part(part, field, context) for part in parts]
        needed = [names_read(part) for part in parts]
        known = [names for names in needed if names is not None]
        self.names = frozenset().union(*known) if len(known) == len(needed) else None

    def filled_in(self, value: Any, record: dict[str, Any]) -> str:
        """Return the text for one record."""
        return "".join(
            part.replace("{value}", redacted(value)) if isinstance(part, str) else part(record)
            for part in self._parts
        )


def _part(node: Node, field: str | None, context: MappingContext) -> Any:
    if isinstance(node, Literal):
        return as_text("message", node.value)
    evaluate = guarded(compile_node(node, context))
    hides = field is not None and reads(node, field)

    def shown(record: dict[str, Any]) -> str:
        try:
            value = evaluate(record)
            if hides:
                return redacted(value)
            text = as_text("message", value)
        except RecordRejectedError:
            return "…"
        text = "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST])
        return text if len(text) < _LONGEST else f"{text}…"

    return shown
