"""`deployments/prefect.yaml` works with Prefect's own command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from astrio.flows.integration import Integration

FILE = Path(__file__).parents[2] / "deployments" / "prefect.yaml"


def test_prefects_own_command_deploys_it(prefect_api: str, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate

    program = "from prefect.cli import app; app()"
    words = ["--no-prompt", "deploy", "--prefect-file", str(FILE), "--all"]
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="astrio", type="process"))
        subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=tmp_path,
            env=os.environ
            | {"PREFECT_API_URL": prefect_api, "PYTHONPATH": ":".join(filter(None, sys.path))},
            check=True,
            capture_output=True,
        )
        found = client.read_deployment_by_name("sync/shop-orders")
        client.delete_deployment(found.id)
    assert found.entrypoint == "astrio.flows.sync.sync"
    assert not found.pull_steps
    assert found.global_concurrency_limit is not None
    assert found.global_concurrency_limit.limit == 1
    assert [each.schedule.model_dump()["cron"] for each in found.schedules] == ["*/15 * * * *"]
    integration = Integration.model_validate(found.parameters["integration"])
    assert (integration.source.api, integration.push.to) == ("shop", "warehouse")
