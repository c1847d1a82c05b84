"""The signs in an answer that more follows, or that nothing does."""

from __future__ import annotations

from typing import Any

from astrio.blocks.errors import ApiAnswerError
from astrio.tasks.paginate.base import PageAnswer, Paginator, Stop
from astrio.tasks.paths import compile_path
from astrio.tasks.shapes import describe

_YES = ("true", "1", "yes", "y")
_NO = ("false", "0", "no", "n", "")


def says_more(paginator: Paginator, answer: PageAnswer) -> bool | None:
    """Return what the has-more flag says; None if there is none in this answer.

    Raises:
        ApiAnswerError: it is neither yes nor no.
    """
    if paginator.has_more is None:
        return None
    flag = compile_path(paginator.has_more).first(answer.body)
    if flag is None or isinstance(flag, bool):
        return flag
    said = str(flag).strip().lower()
    if isinstance(flag, int | str) and said in (*_YES, *_NO):
        return said in _YES
    raise ApiAnswerError(
        f"The has_more flag at {paginator.has_more} is {describe(flag)}, neither true nor false.",
        advice="Correct paginate.has_more.",
    )


def numbered_end(paginator: Paginator, answer: PageAnswer) -> Stop | None:
    """Return why a source of numbered pages or offsets ends here; None if it goes on.

    A short page is not the end, since a server may cap its pages. An empty one is, unless the
    API says that more follows; the flag outranks the total, which may count something else.
    """
    more = says_more(paginator, answer)
    if more is not None:
        return None if more else Stop("has_more_false")
    if answer.total is not None and answer.received >= answer.total:
        return Stop("total_reached")
    return Stop("empty_page") if answer.is_empty else None


def linked_end(paginator: Paginator, answer: PageAnswer, following: Any) -> Stop | None:
    """Return why a source of cursors or links ends here; None if `following` leads on.

    Raises:
        ApiAnswerError: more is promised, but there is no way to it.
    """
    more = says_more(paginator, answer)
    if more is False:
        return Stop("has_more_false")
    if following not in (None, "", "false", "null") and following is not False:
        return None
    if more:
        raise ApiAnswerError(
            f"The API says that more follows ({paginator.has_more}), but not where.",
            advice="Check the path in paginate.next.",
        )
    return Stop("no_next")
