"""`python -m astrio.deployments.delivering FOLDER PARENT`: the deliverer beside `astrio up`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Deliver until the parent process has ended."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from astrio.deployments.cli.output import say
    from astrio.deployments.reaching import reaching_saved
    from astrio.deployments.running import quieten_prefect

    quieten_prefect()
    with reaching_saved(say):
        from astrio.deployments.delivering.service import DeliveringService

        DeliveringService(say, int(sys.argv[2])).run()


if __name__ == "__main__":
    main()
