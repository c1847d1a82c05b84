"""Every astrio block: `RestApiBlock`, `DatabaseBlock`, and one for each authentication.

The authentications' blocks are attributes of this module too (`APIKey`, `BearerToken`, …), so that
`prefect block register -m astrio.blocks.saved.classes` finds them all.
"""

from __future__ import annotations

from typing import Final

from astrio.blocks.saved.base import SavedBlock, block_class
from astrio.blocks.store.kinds import CONNECTIONS, authentications

ALL: Final[tuple[type[SavedBlock], ...]] = tuple(
    block_class(model) for model in (*authentications(), *CONNECTIONS)
)
globals().update({each.__name__: each for each in ALL})
