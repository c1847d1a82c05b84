"""Make one Prefect deployment of each integration, with its schedule; only what differs changes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import print_json, say, show
from astrio.deployments.deploying.collecting import Collected, collect, named_files
from astrio.deployments.running import quieten_prefect
from astrio.deployments.server import is_lasting, prefect_server
from astrio.flows.schedule import described
from astrio.tasks.ledger.home import astrio_home

if TYPE_CHECKING:
    from astrio.deployments.deploying.deploying import Deployed

app = typer.Typer()
_PAST = {"created": "would be created", "updated": "would be updated", "unchanged": "unchanged"}


@app.command()
def deploy(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DIR|FILE]...", help="Folders or files; none: this folder."),
    ] = None,
    pool: Annotated[
        str | None, typer.Option(help="Work pool whose workers run it; else `astrio up` does.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Work queue of the pool.")] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete deployments whose integration is gone.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make one Prefect deployment of each integration, with its schedule.

    Only what differs changes. All files are checked first: while one has a mistake, or a secret
    written out, nothing is deployed.

    Exit code 0: done; 1: the server does not answer; 2: a mistake.
    """
    collected = _collected(places or [], pool, queue)
    quieten_prefect()
    with prefect_server(say) as url:
        lasting = is_lasting(url)
        from astrio.deployments.deploying.building import Target
        from astrio.deployments.deploying.deploying import deploy_places

        roots, target = [Path(place) for place in places or ["."]], Target(pool, queue)
        work = deploy_places(roots, collected, target, delete=prune, dry_run=dry_run)
        deployed = asyncio.run(work)
    if as_json:
        print_json({"server": url, "pool": pool, "dry_run": dry_run, **_entry(deployed, prune)})
    else:
        where = url if lasting else f"the Prefect server of {astrio_home()}"
        _tell(deployed, pool, where, prune=prune, dry_run=dry_run)
        for fed in collected.fed:
            say(f"{fed.integration.name}: webhooks run it, which `astrio gateway` receives")
        _tell_triggers(collected)


def _collected(places: list[str], pool: str | None, queue: str | None) -> Collected:
    if queue and not pool:
        raise ConfigurationError("--queue names a queue of a work pool.", advice="Add --pool.")
    collected = collect(named_files(places), pooled=pool is not None)
    collected.require_all()
    for warning in collected.warnings:
        say(warning)
    return collected


def _entry(deployed: Deployed, prune: bool) -> dict[str, Any]:
    return {
        "deployments": [
            {
                "integration": each.found.integration.name,
                "file": str(each.found.file),
                "action": each.action,
                "changed": each.changed,
                "schedule": described(each.found.integration.schedule),
                "id": each.id,
            }
            for each in deployed.applied
        ],
        "gone": [
            {"integration": each.name, "id": each.id, "action": "deleted" if prune else "kept"}
            for each in deployed.gone
        ],
    }


def _tell(deployed: Deployed, pool: str | None, where: str, *, prune: bool, dry_run: bool) -> None:
    for each in deployed.applied:
        action = _PAST[each.action] if dry_run else each.action
        changed = f" ({', '.join(each.changed)})" if each.changed else ""
        name, schedule = each.found.integration.name, described(each.found.integration.schedule)
        show(f"{name}: {action}{changed}, {schedule}")
    for gone in deployed.gone:
        if prune:
            show(f"{gone.name}: {'would be ' * dry_run}deleted, its integration is gone")
        else:
            say(f"{gone.name}: its integration is gone; --prune deletes the deployment")
    how = f"workers of {pool} run them" if pool else "`astrio up` runs them"
    say(f"On {where}; {how}.")


def _tell_triggers(collected: Collected) -> None:
    for each in collected.triggers:
        targets = ", ".join(name for name, _ in each.trigger.targets())
        show(f"{each.trigger.name}: {', '.join(each.trigger.on)} to {targets}")
