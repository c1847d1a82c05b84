"""Reading the children of each parent: parents as a stream, a few at once, in their order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from astrio.blocks.errors import AstrioError, MissingParentsError
from astrio.tasks.account import allowed
from astrio.tasks.batch import Page, ParentsSeen
from astrio.tasks.children.ordered import Ordered
from astrio.tasks.children.place import Place
from astrio.tasks.children.plan import Children
from astrio.tasks.http.advice import ForbiddenError, RefusedError
from astrio.tasks.http.client import ApiClient
from astrio.tasks.incremental import higher
from astrio.tasks.read_plan import Reading, ReadPlan, place_of, position, request_of
from astrio.tasks.secrecy import refuse_references

MOST_EXAMPLES: Final = 10


@dataclass(frozen=True, slots=True)
class _At:
    """A page of parents: its position, its number less one, and the parents before it."""

    position: dict[str, Any]
    page: int
    received: int


@dataclass(frozen=True, slots=True)
class _Parent:
    """A parent, its watermark, and the page on which it stands."""

    key: str
    record: Any
    mark: Any
    at: _At


class ChildReading:
    """One pass over the children of all parents.

    The last page of a parent's children tells its watermark. Each page but the very last one has
    a position to go on from: the page of parents, those of them that are done, and the place in
    the present one's children.
    """

    def __init__(
        self,
        client: ApiClient,
        plan: ReadPlan,
        children: Children,
        open_reading: Callable[[ApiClient, ReadPlan], Reading],
    ) -> None:
        """Take the client, what to read, and what opens the reading of a part."""
        self._client = client
        self._plan = plan
        self._children = children
        self._open = open_reading
        self._place = Place(**plan.place) if plan.place else Place(position(children.parents.first))
        self._resumed = self._place.parent
        self._before = frozenset(self._place.done)
        self._reason: str | None = None
        self._doubt: str | None = None
        self._seen: set[int] = set()
        self._number = plan.pages_before
        self._left = plan.limit

    def in_doubt(self) -> str | None:
        """Return why what was read may not be all, None if nothing says so."""
        return self._doubt

    async def pages(self) -> AsyncGenerator[Page, None]:
        """Yield the children's pages, numbered through; the last one says why the parents ended.

        Raises:
            MissingParentsError: too many parents have no children to read.
        """
        held: Page | None = None
        try:
            async with aclosing(self._children_pages()) as pages:
                async for page in pages:
                    if held is not None:
                        yield held
                    held = page
            if held is None or held.stop_reason is None:
                self._judge()
        except AstrioError:
            if held is not None:
                yield held  # what has arrived is kept
            raise
        last = held or self._empty()
        if last.stop_reason is None:
            last.resume, last.stop_reason = None, self._reason
            last.claimed = self._place.claimed
        yield last

    async def _children_pages(self) -> AsyncGenerator[Page, None]:
        """Yield the pages of all children; each but one of a limit has a position to go on from."""
        at_once = 1 if self._left is not None else self._children.concurrency
        parents = self._parents()
        stream = Ordered(parents, self._part, at_once)
        async with aclosing(parents), aclosing(stream.items()) as items:
            async for parent, found in items:
                if found is None:
                    self._place.done.append(parent.key)
                    continue
                page = self._told(parent, *found)
                yield page
                if page.stop_reason == "limit":
                    return

    async def _parents(self) -> AsyncGenerator[_Parent, None]:
        """Yield the parents whose children are to be read."""
        plan = self._parents_plan()
        reading = self._open(self._client, plan)
        at = _At(self._place.parents, plan.pages_before, plan.received_before)
        async with aclosing(reading.pages()) as pages:
            async for page in pages:
                self._reason = page.stop_reason or self._reason
                known = {self._children.key_of(record): record for record in page.records}
                keys = [key for key in known if self._is_new(key)]
                marks = await self._children.marks(keys) if keys else {}
                for key in keys:
                    yield _Parent(key, known[key], marks.get(key), at)
                if page.resume is not None:
                    at = _At(page.resume, page.number, at.received + page.fetched)
        self._doubt = self._doubt or reading.in_doubt()

    def _parents_plan(self) -> ReadPlan:
        """Return how the parents are read, from the page on at which an earlier run stopped."""
        plan, place = self._children.parents, self._place
        if self._plan.place is None:
            return plan
        return replace(
            plan,
            resume=request_of(place.parents),
            place=place_of(place.parents),
            pages_before=place.parents_page,
            received_before=place.parents_received,
        )

    def _is_new(self, key: str) -> bool:
        """Whether a parent was not met before: pages of parents may overlap."""
        met = hash(key)
        if met in self._seen or key in self._before:
            return False
        self._seen.add(met)
        return True

    async def _part(self, parent: _Parent) -> AsyncGenerator[tuple[Page, bool], None]:
        """Yield the pages of one parent's children, and whether each is the last."""
        plan = self._part_plan(parent)
        reading = self._open(self._client, plan)
        try:
            async with aclosing(reading.pages()) as pages:
                async for page in pages:
                    yield page, page.stop_reason is not None
        except (RefusedError, ForbiddenError) as error:
            if plan.resume is not None or error.status not in self._children.missing:
                raise
            yield Page(0, stop_reason="missing"), True
        else:
            self._doubt = self._doubt or reading.in_doubt()

    def _part_plan(self, parent: _Parent) -> ReadPlan:
        plan = self._children.part(parent.record, parent.mark)
        extra = {**(plan.extra or {}), **self._children.shared(parent.record)}
        plan = replace(plan, extra=extra)
        refuse_references(plan.first, self._plan.first.references())
        if self._plan.resume is None or parent.key != self._resumed:
            return replace(plan, limit=self._left)
        stored = Place(**(self._plan.place or {}))
        return replace(
            plan,
            resume=self._plan.resume,
            place=stored.child,
            received_before=stored.received,
        )

    def _told(self, parent: _Parent, page: Page, last: bool) -> Page:
        """Return a page of a parent's children as one of the whole source."""
        place = self._place
        self._turn_to(parent)
        if page.stop_reason == "missing":
            self._miss(parent.key)
            page.claimed = 0
        self._number += 1
        page.number = self._number
        place.received += page.fetched
        if page.cursor is not None:
            known = place.cursor
            place.cursor = page.cursor if known is None else higher(known, page.cursor)
        claimed, page.claimed, page.cursor = page.claimed, None, None
        self._count_down(page)
        if page.stop_reason == "limit":
            page.resume = None
            return page
        if last:
            unknown = None in (place.claimed, claimed)
            place.claimed = None if unknown else (place.claimed or 0) + (claimed or 0)
            page.partition = self._marked(parent)
        page.resume = self._position(page, last=last)
        page.stop_reason = None
        page.parents = ParentsSeen(place.read, place.missing, tuple(place.examples))
        return page

    def _turn_to(self, parent: _Parent) -> None:
        """Note whose children come now, and on which page of parents it stands."""
        place, at = self._place, parent.at
        if place.parent == parent.key:
            return
        if place.parents_page != at.page:
            place.parents, place.parents_page, place.parents_received = (
                at.position,
                at.page,
                at.received,
            )
            place.done = []
        place.parent, place.received, place.cursor, place.child = parent.key, 0, None, None
        place.read += 1

    def _count_down(self, page: Page) -> None:
        if self._left is not None:
            self._left -= page.fetched
            if self._left <= 0:
                page.stop_reason = "limit"

    def _position(self, page: Page, *, last: bool) -> dict[str, Any]:
        """Return where a later run goes on after a page."""
        place = self._place
        if last:
            ended = replace(place, done=[*place.done, str(place.parent)], parent=None, child=None)
            return position(request_of(place.parents), ended.to_json())
        assert page.resume is not None
        place.child = place_of(page.resume)
        return position(request_of(page.resume), place.to_json())

    def _marked(self, parent: _Parent) -> tuple[str, Any] | None:
        """Return the parent's key and its new watermark, None: it does not move."""
        advance, cursor = self._children.advance, self._place.cursor
        if advance is None or cursor is None:
            return None
        return parent.key, advance(parent.mark, cursor)

    def _miss(self, key: str) -> None:
        self._place.missing += 1
        if len(self._place.examples) < MOST_EXAMPLES:
            self._place.examples.append(key)

    def _judge(self) -> None:
        place, most = self._place, self._children.max_missing
        if place.missing > allowed(most, place.read):
            share = "all" if place.missing == place.read else f"{place.missing} of {place.read}"
            limit = "" if most is None else f" (max_missing: {most})"
            raise MissingParentsError(
                f"The API gave no children for {share} parents{limit}, such as "
                f"{', '.join(place.examples[:3])}.",
                advice="Check source.request.path and the API permissions, or raise "
                "source.parent.max_missing.",
            )

    def _empty(self) -> Page:
        self._number += 1
        return Page(self._number)
