"""Statements that create tables and indexes, read and changed."""

from __future__ import annotations

from astrio.tasks.destinations.sql.definitions import (
    indexed_columns,
    retyped,
    without_foreign_keys,
)

CREATED = (
    'CREATE TABLE "or ders"(id BIGINT PRIMARY KEY, '
    "\"B c\" VARCHAR DEFAULT('it''s, (x)') NOT NULL, m ENUM('a', 'b'), p BIGINT, "
    "CHECK((p > 0)), FOREIGN KEY (p, m) REFERENCES other(a, b), UNIQUE(p, m));"
)


def test_the_columns_of_an_index_are_named_and_expressions_are_not() -> None:
    created = 'CREATE UNIQUE INDEX "a(b" ON "or ders"(id, "B c", (lower("B c")));'
    assert indexed_columns(created) == ["id", "B c", None]


def test_a_table_gets_another_name_and_columns_other_types() -> None:
    changed = retyped(CREATED, '"new"', {"b C": "JSON", "M": "VARCHAR"})
    assert changed == (
        CREATED.replace('"or ders"', '"new"', 1)
        .replace('"B c" VARCHAR', '"B c" JSON')
        .replace("m ENUM('a', 'b')", "m VARCHAR")
    )


def test_foreign_keys_are_left_out_wherever_they_stand() -> None:
    key = "FOREIGN KEY (p, m) REFERENCES other(a, b), "
    assert without_foreign_keys(CREATED) == CREATED.replace(key, "")
    several = (
        "CREATE TABLE t(a BIGINT, FOREIGN KEY (a) REFERENCES t(b), b BIGINT, "
        "FOREIGN KEY (b) REFERENCES t(a));"
    )
    assert without_foreign_keys(several) == "CREATE TABLE t(a BIGINT, b BIGINT);"
