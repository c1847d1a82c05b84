"""Flows whose run form is made only when somebody asks for it, and that start without FastAPI.

Prefect makes the JSON Schema of a flow's parameters when the flow is declared. That of an
integration takes half a second of CPU, and only what deploys has a use for it.
A run's parameters are checked and dumped with the help of FastAPI and pydantic's first version,
which take as long again to import. Models need neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, get_type_hints

from prefect import Flow, flows
from prefect.utilities.callables import ParameterSchema, parameter_schema
from pydantic import BaseModel

from astrio.flows.one_trust import share_trust

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

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters as their declared types; models that are of theirs stay as is."""
        declared_types = get_type_hints(self.fn)
        if all(
            isinstance(value, BaseModel) and type(value) is declared_types.get(name)
            for name, value in parameters.items()
        ):
            return parameters
        return super().validate_parameters(parameters)

    def serialize_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters as Prefect stores them: models by themselves, the rest by it."""
        models = {
            name: value.model_dump(mode="json", by_alias=True)
            for name, value in parameters.items()
            if isinstance(value, BaseModel)
        }
        rest = {name: value for name, value in parameters.items() if name not in models}
        return {**models, **super().serialize_parameters(rest)}


def declared(**settings: Any) -> Callable[[Callable[P, R]], Declared[P, R]]:
    """Declare the decorated function as a flow, as `prefect.flow` does."""
    share_trust()
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
