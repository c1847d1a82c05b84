"""Records of which only the fields that are read were decoded; each is decoded whole on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import index
from typing import Any, Final, SupportsIndex, overload

import msgspec

from astrio.tasks.mapping.sent import plain
from astrio.tasks.mapping.shape import Shape

Whole = Callable[[bytes | memoryview], Any]
_APART: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Origin:
    """The page's records as the API sent them, kept to decode one of them whole."""

    __slots__ = ("_apart", "_decode", "_text")

    def __init__(self, text: Callable[[], msgspec.Raw], decode: Whole) -> None:
        """Take what returns the records' JSON, a list, and what decodes one of them."""
        self._text = text
        self._decode = decode
        self._apart: list[msgspec.Raw] | None = None

    def record(self, place: int) -> Any:
        """Return a record with all its fields."""
        if self._apart is None:
            self._apart = _APART.decode(self._text())
        return self._decode(memoryview(self._apart[place]))


class Plainly:
    """Records whose fractions remember their digits, given without."""

    __slots__ = ("_records",)

    def __init__(self, records: Sequence[Any]) -> None:
        """Take the records."""
        self._records = records

    def record(self, place: int) -> Any:
        """Return a record with plain floats."""
        return plain(self._records[place])


class Deferred(Sequence[Any]):
    """Records that are decoded whole when they are asked for, and not kept."""

    __slots__ = ("_origin", "_places")

    def __init__(self, origin: Origin | Plainly, places: Sequence[int]) -> None:
        """Take where they are to be had, and their places there."""
        self._origin = origin
        self._places = places

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Deferred: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """Return one record, decoded whole, or a part of them."""
        if isinstance(place, slice):
            return Deferred(self._origin, self._places[place])
        return self._origin.record(self._places[index(place)])

    def picked(self, places: Sequence[int]) -> Deferred:
        """Return the records at these places."""
        return Deferred(self._origin, [self._places[place] for place in places])


class Projected(list[Any]):
    """A list of whole records to whoever looks at it; `structs` are what was decoded already.

    So nobody who does not know of the structs meets a record with less than all its fields, or
    with fractions that are not plain floats.

    Attributes:
        shape: of the structs; None: they are whole records.
        exact: fractions in the structs remember their digits as sent.
    """

    __slots__ = ("_origin", "_places", "exact", "shape")

    def __init__(
        self,
        structs: Sequence[Any],
        shape: Shape | None,
        origin: Origin | Plainly,
        places: Sequence[int],
        *,
        exact: bool = False,
    ) -> None:
        """Take the decoded parts, their shape, and where in their origin each record stands."""
        super().__init__(structs)
        self.shape = shape
        self.exact = exact
        self._origin = origin
        self._places = places

    @classmethod
    def exactly(cls, records: Sequence[Any]) -> Projected:
        """Return whole records whose fractions remember their digits as sent."""
        return cls(records, None, Plainly(records), range(len(records)), exact=True)

    def structs(self) -> Iterator[Any]:
        """Return the Structs of the shape, one for each record."""
        return super().__iter__()

    def some(self, places: Iterable[int]) -> list[Any]:
        """Return the Structs of these records."""
        return [super(Projected, self).__getitem__(place) for place in places]

    def deferred(self) -> Deferred:
        """Return the records without their structs, which are no longer needed."""
        return Deferred(self._origin, self._places)

    def picked(self, places: Sequence[int]) -> Projected:
        """Return the records at these places."""
        known = super().__getitem__
        structs = [known(place) for place in places]
        origins = [self._places[place] for place in places]
        return Projected(structs, self.shape, self._origin, origins, exact=self.exact)

    def __iter__(self) -> Iterator[Any]:
        """Yield each record, decoded whole."""
        return map(self._origin.record, self._places)

    @overload
    def __getitem__(self, place: SupportsIndex) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> list[Any]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        """Return one record, decoded whole, or a part of the list."""
        if isinstance(place, slice):
            return self.picked(range(*place.indices(len(self))))
        return self._origin.record(self._places[index(place)])

    def __eq__(self, other: object) -> bool:
        """Compare the records; those of the same shape are alike only if their structs are."""
        if isinstance(other, Projected) and other.shape is self.shape and not super().__eq__(other):
            return False
        return isinstance(other, list) and list(self) == list(other)

    def __ne__(self, other: object) -> bool:
        """Compare the records."""
        return not self == other

    def __contains__(self, record: object) -> bool:
        """Whether a record is among them."""
        return record in list(self)

    def __reversed__(self) -> Iterator[Any]:
        """Yield each record, decoded whole, the last one first."""
        return map(self._origin.record, reversed(self._places))

    def __repr__(self) -> str:
        """Return the whole records, as a list shows them."""
        return repr(list(self))

    __hash__ = None


def picked(records: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """Return the records at these places."""
    if isinstance(records, Projected | Deferred):
        return records.picked(places)
    return [records[place] for place in places]
