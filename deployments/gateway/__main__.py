"""`python -m astrio.deployments.gateway FOLDER PARENT HOST PORT`: the gateway of `astrio up`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Serve until SIGTERM or the end of the parent; a mistake is told once, until it is mended."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from astrio.blocks.errors import ConfigurationError
    from astrio.deployments.cli.output import say
    from astrio.deployments.gateway.running import run_gateway
    from astrio.deployments.gateway.settings import GatewaySettings
    from astrio.deployments.gateway.telling import explained
    from astrio.deployments.reaching import reaching_saved
    from astrio.deployments.watching import Watch

    folder, parent, host, port = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    settings, watch = GatewaySettings(host=host, port=port), Watch(folder)
    with reaching_saved(say):
        while os.getppid() == parent:
            watch.taken()
            try:
                run_gateway(folder, settings, say, drain=True, parent=parent)
                return
            except ConfigurationError as error:
                say(f"warning: webhooks are not received: {explained(error)}")
            while os.getppid() == parent and not watch.has_changed():
                time.sleep(0.5)


if __name__ == "__main__":
    main()
