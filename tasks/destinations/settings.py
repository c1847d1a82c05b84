"""`push`: where the rows go, and `quarantine`. Free of SQLAlchemy, so that `check` stays quick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel, to_snake

from astrio.blocks.database import Database
from astrio.blocks.settings import Settings, subclasses_in
from astrio.blocks.store.either import or_saved, written_out
from astrio.tasks.destinations import targets
from astrio.tasks.destinations.children import ChildSettings
from astrio.tasks.destinations.contract import ContractSettings
from astrio.tasks.destinations.other import OtherTarget
from astrio.tasks.destinations.vanishing import DeletedSettings, VanishedSettings
from astrio.tasks.durations import parse_duration


class SqlTarget(Database):
    """`to: {url: …}`: a SQL database by SQLAlchemy URL; references are filled in at run time."""

    _saved_as: str = PrivateAttr("")

    @classmethod
    def saved(cls, database: Database, name: str) -> SqlTarget:
        """Return the target that is saved as `name`."""
        target = cls(url=database.url, password=database.password)
        target._saved_as = name
        return target

    @property
    def named(self) -> str:
        """How its user knows the URL."""
        saved = f"the URL of the saved database {self._saved_as}"
        return saved if self._saved_as else "push.to.url"


_UNNAMED: Final = "_"


def _form_of(value: Any) -> type[OtherTarget] | None:
    """Return the form that a `push.to` is of, None for a SQL database."""
    if isinstance(value, OtherTarget):
        return type(value)
    given = set(filter(_is_text, value)) if isinstance(value, Mapping) else set()
    # As it is, too: `s3` has no other spelling.
    keys = frozenset(given.union(map(to_snake, given)))
    return next((form for form in _FORMS if form.tells(keys)), None)


def _is_text(key: Any) -> bool:
    return isinstance(key, str)


def _tag(value: Any) -> str:
    form = _form_of(value)
    return "sql" if form is None else form.__name__


_FORMS: tuple[type[OtherTarget], ...] = tuple(subclasses_in(targets, OtherTarget))  # type: ignore[type-abstract] # it is only compared
if TYPE_CHECKING:
    TargetOrName = SqlTarget | str | OtherTarget
else:
    _Sql = or_saved(SqlTarget, '{url: "sqlite:///data.db"}')
    TargetOrName = Annotated[
        reduce(
            or_,
            [Annotated[form, Tag(form.__name__)] for form in _FORMS],
            Annotated[_Sql, Tag("sql")],
        ),
        Discriminator(_tag),
    ]


def _other_forms_need_no_table(schema: dict[str, Any]) -> None:
    schema["required"].remove("table")
    keys = sorted({spelt for form in _FORMS for key in form.told_by for spelt in _both(key)})
    other = {"type": "object", "anyOf": [{"required": [key]} for key in keys]}
    schema |= {"if": {"properties": {"to": other}}, "else": {"required": ["table"]}}


def _both(key: str) -> set[str]:
    return {key, to_camel(key)}


class PushSettings(Settings):
    """`push`: destination, table, and how rows meet the rows already there."""

    model_config = ConfigDict(json_schema_extra=_other_forms_need_no_table)

    to: TargetOrName = Field(
        description="A saved database's name, {url: …}, {webhook: …} or another place."
    )
    table: str = Field(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$",
        description="The table's name.",
    )
    mode: Literal["append", "upsert", "replace", "history"] = Field(
        "append",
        description="append: add rows; upsert: update the rows of the same key, add the others; "
        "replace: put the rows in the place of all rows of the table, once they are complete; "
        "history: close the version of a row that has changed, and add the new one.",
    )
    key: tuple[str, ...] = Field((), description="Target fields that identify a row.")
    version: str | None = Field(
        default=None,
        description="Target field by which a row is newer than another of its key: a row of a "
        "lower version never takes the place of one of a higher.",
    )
    contract: ContractSettings = Field(
        default_factory=ContractSettings,
        description="What becomes of records that do not fit the table: evolve, freeze, "
        "quarantine, discard_row or discard_value; or a word for each of tables, columns, types.",
    )
    unchanged: Literal["compare", "skip"] = Field(
        default="compare",
        description="Records that have not changed since the last run. compare: each is compared "
        "with its row; skip: a page that came exactly so before is passed over, which takes it "
        "that nothing but this integration writes to the table.",
    )
    children: dict[str, ChildSettings] = Field(
        default_factory=dict,
        description="Fields whose lists of objects go into tables of their own: "
        "{items: order_items}, or {items: {table, key, parent}}.",
    )
    vanished: VanishedSettings = Field(
        default_factory=VanishedSettings,
        description="What becomes of rows that a run which reads everything does not meet: keep, "
        "mark or delete (`mode: history`: close); or {rows, most}.",
    )
    deleted: DeletedSettings | None = Field(
        default=None,
        description="Expression over a record that tells of a deletion; or {when, rows}.",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_another_form(cls, given: Any) -> Any:
        """Let what is no database say what its mode is; its table may be left out."""
        form = _form_of(given.get("to")) if isinstance(given, Mapping) else None
        if form is None:
            return given
        return {"table": _UNNAMED, **form.completed(given)}

    @model_validator(mode="after")
    def _named(self) -> PushSettings:
        to = self.to
        if not isinstance(to, OtherTarget):
            return self
        if self.mode not in to.modes:
            known = ", ".join(to.modes)
            raise ValueError(f"`mode: {self.mode}` means nothing there; it takes {known}")
        given = {
            "children": self.children,
            "deleted": self.deleted,
            "vanished": self.vanished.rows != "keep",
            "unchanged": self.unchanged == "skip",
        }
        for name in (name for name, value in given.items() if value):
            raise ValueError(f"`{name}` is for SQL tables, and this is none")
        if self.table == _UNNAMED:
            object.__setattr__(self, "table", to.stream)
        return self

    @property
    def all(self) -> tuple[PushSettings, ...]:
        """Every destination by itself: this one, or those of a list."""
        return (self,)

    @property
    def beside(self) -> bool:
        """Whether parts may be written beside a run of the whole.

        Where rows are counted, whatever is written beside would be among them.
        """
        counts = self.vanished.rows != "keep" or self.unchanged == "skip"
        return bool(self.version) and not counts

    @property
    def staged(self) -> bool:
        """Whether what a run writes is seen at its end, or not at all."""
        whole = isinstance(self.to, OtherTarget) and self.to.whole
        return self.mode == "replace" or whole

    @property
    def target(self) -> SqlTarget:
        """The database, once its saved name has been resolved (`astrio.flows.connecting`).

        It is the ledger where records go elsewhere: what is remembered of the stream is there.
        """
        if isinstance(self.to, OtherTarget):
            from astrio.tasks.destinations.sql.ledger import ledger_url

            return SqlTarget(url=ledger_url())
        return written_out(self.to, "push.to")


class QuarantineSettings(Settings):
    """`quarantine`: how long rejected records are kept."""

    keep: str | None = Field(
        default=None,
        description="How long a record stays open after it was last seen, e.g. 90d; then it is "
        "discarded. Left out: until it is mended or discarded.",
    )
    keep_closed: str = Field(
        default="7d",
        description="How long the content of a resolved or discarded record is kept; key, field "
        "and reason stay.",
    )

    @field_validator("keep", "keep_closed")
    @classmethod
    def _duration(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not parse_duration(value) and info.field_name == "keep":
            raise ValueError("`keep` must be longer than nothing")
        return value

    @property
    def open_for(self) -> timedelta | None:
        """How long open records are kept, None: for ever."""
        return None if self.keep is None else parse_duration(self.keep)

    @property
    def closed_for(self) -> timedelta:
        """How long the content of closed ones is kept."""
        return parse_duration(self.keep_closed)
