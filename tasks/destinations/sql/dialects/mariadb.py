"""MariaDB, as `mariadb://` names it: what `mysql://` is."""

from __future__ import annotations

from astrio.tasks.destinations.sql.dialects.mysql import dialect

__all__ = ["dialect"]
