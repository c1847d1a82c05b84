"""What is true of every SQL destination; each database's test class inherits this."""

from __future__ import annotations

from tests.contracts.columns import ColumnsContract
from tests.contracts.holding import HoldingContract
from tests.contracts.keeping import KeepingContract
from tests.contracts.leases import LeaseContract
from tests.contracts.parts import PartsContract
from tests.contracts.quarantining import QuarantineContract
from tests.contracts.rows import RowsContract
from tests.contracts.state import StateContract


class DestinationContract(
    RowsContract,
    ColumnsContract,
    HoldingContract,
    StateContract,
    QuarantineContract,
    KeepingContract,
    LeaseContract,
    PartsContract,
):
    """Define a fixture `url`: a database of the test's own, which does not hold a table yet."""
