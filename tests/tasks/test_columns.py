from __future__ import annotations

from astrio.tasks.columns import clashes, column_name, is_reserved, key_of, key_places


def test_a_dotted_target_becomes_a_column_with_underscores() -> None:
    assert column_name("customer.full_name") == "customer_full_name"


def test_names_that_begin_like_astrios_own_are_reserved() -> None:
    assert is_reserved("_Astrio.run")
    assert not is_reserved("astrio_run")


def test_targets_with_one_column_clash() -> None:
    assert clashes(["a.b", "c", "A_B", "a_b"]) == [("A_B", "a.b"), ("a_b", "a.b")]


def test_a_key_is_found_only_if_all_of_it_is_there() -> None:
    assert key_places(("x", "a.b", "c"), ["c", "a_b"]) == [2, 1]
    assert key_places(("x",), ["x", "y"]) == []


def test_a_key_with_an_empty_part_identifies_nothing() -> None:
    assert key_of((1, 0), [1, 0]) == (0, 1)
    assert key_of((1, None), [0, 1]) is None
    assert key_of((1, ""), [1]) is None
    assert key_of((1,), []) is None
