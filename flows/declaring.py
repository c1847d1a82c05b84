"""Flows whose run form is made only when somebody asks for it.

Prefect makes the JSON Schema of a flow's parameters when the flow is declared. That of an
integration takes half a second of CPU, and only what deploys has a use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from prefect import Flow, flows
from prefect.utilities.callables import ParameterSchema, parameter_schema

P = ParamSpec("P")
R = TypeVar("R")


class Declared(Flow[P, R]):
    """A flow like any other, but for the moment at which its form is made."""

    _form: ParameterSchema | None = None

    def __init__(self, fn: Callable[P, R], **settings: Any) -> None:
        """Declare a flow; the settings are Prefect's."""
        with _no_form():
            super().__init__(fn, **settings)

    @property
    def parameters(self) -> ParameterSchema:  # pyright: ignore[reportIncompatibleVariableOverride]  # a mere attribute there
        """The schema of the flow's parameters."""
        if self._form is None:
            self._form = parameter_schema(self.fn)
        return self._form

    @parameters.setter
    def parameters(self, form: ParameterSchema) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        self._form = form if form.properties else None


def declared(**settings: Any) -> Callable[[Callable[P, R]], Declared[P, R]]:
    """Declare the decorated function as a flow, as `prefect.flow` does."""
    return lambda function: Declared(function, **settings)


@contextmanager
def _no_form() -> Iterator[None]:
    """Keep Prefect from making a form; should its name be another one day, it makes one."""
    made = getattr(flows, "parameter_schema", None)
    setattr(flows, "parameter_schema", lambda _: ParameterSchema())  # noqa: B010 (not its to export)
    try:
        yield
    finally:
        setattr(flows, "parameter_schema", made)  # noqa: B010 (as above)
