"""`python -m astrio.deployments.draining FOLDER PARENT`: the drainer beside a gateway."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Drain the folder's events until the parent process has ended."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    from astrio.deployments.cli.output import say
    from astrio.deployments.reaching import reaching_saved
    from astrio.deployments.running import quieten_prefect

    quieten_prefect()
    folder, parent = Path(sys.argv[1]), int(sys.argv[2])
    with reaching_saved(say):
        from astrio.deployments.draining.service import DrainingService

        DrainingService(folder, say, parent).run()


if __name__ == "__main__":
    main()
