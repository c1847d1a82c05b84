"""List the functions of the mapping language, with examples."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import clean, print_json, say, show
from astrio.tasks.mapping.catalogue import Function
from astrio.tasks.mapping.finding import added_functions, all_functions, suggestion

app = typer.Typer()


@app.command()
def functions(
    name: Annotated[str | None, typer.Argument(help="Only this one, in detail.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the functions of the mapping language, the project's own too, with examples."""
    found = all_functions()
    for problem in added_functions().problems:
        say(f"warning: {problem}")
    if name is not None:
        found = {name: found[name]} if name in found else _unknown(name)
    if as_json:
        print_json({"functions": [_entry(function) for function in found.values()]})
    elif name is not None:
        _explain(found[name])
    else:
        _list(found)


def _unknown(name: str) -> dict[str, Function]:
    hint = suggestion(name)
    raise ConfigurationError(
        f"There is no function {name}." + (f" {hint.capitalize()}" if hint else ""),
        advice="`astrio functions` lists them all.",
    )


def _list(found: dict[str, Function]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for function in found.values():
        told = Text(clean(function.summary))
        for expression, result in function.examples[:1]:
            told.append(f"\n{clean(expression)} -> {_value(result)}", style="dim")
        table.add_row(Text(clean(function.usage)), told)
    show(table)


def _explain(function: Function) -> None:
    show(f"{function.usage}\n\n{function.summary}")
    if function.details:
        show(f"\n{function.details}")
    if function.origin:
        show(f"\nFrom {function.origin}.")
    if function.examples:
        show("\nExamples:")
    for expression, result in function.examples:
        show(f"  {expression}  -> {_value(result)}")
    for expression in function.rejects:
        show(f"  {expression}  -> the record is rejected")


def _value(value: Any) -> str:
    return clean(json.dumps(value, default=str, ensure_ascii=False))


def _entry(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "usage": function.usage,
        "summary": function.summary,
        "details": function.details,
        "origin": function.origin or None,
        "examples": [{"expression": text, "value": value} for text, value in function.examples],
    }
