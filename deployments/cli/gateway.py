"""Receive webhooks: verify them, store them durably, and run the integrations that take them."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from astrio.blocks.errors import ConfigurationError
from astrio.deployments.cli.output import INTERRUPTED, say
from astrio.deployments.gateway.settings import PRIVATE, GatewaySettings

app = typer.Typer()


@app.command()
def gateway(  # noqa: PLR0913, PLR0917 (one parameter for each flag)
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder with the integration files.")
    ] = Path(),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8700,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    drain: Annotated[
        bool, typer.Option("--drain/--no-drain", help="Run the integrations beside it.")
    ] = True,
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="Of proxies whose X-Forwarded-For counts."),
    ] = None,
    metrics_to: Annotated[
        list[str] | None,
        typer.Option(metavar="NETWORK", help="That may read /metrics; else private ones."),
    ] = None,
    address_rate: Annotated[
        str, typer.Option(metavar="RATE", help="Most requests of one address, e.g. 100/s.")
    ] = "",
    cert: Annotated[Path | None, typer.Option(help="TLS certificate and chain, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    header_timeout: Annotated[
        float, typer.Option(help="Seconds for a request's head, and for an idle connection.")
    ] = 5,
    body_timeout: Annotated[float, typer.Option(help="Seconds for its body.")] = 10,
    connections: Annotated[int, typer.Option(help="Most connections at a time.")] = 1024,
    refresh_networks: Annotated[
        bool, typer.Option("--refresh-networks", help="Fetch vendors' lists once a day.")
    ] = False,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="A line of JSON for each request, on stdout.")
    ] = False,
) -> None:
    """Receive webhooks: verify them, store them durably, and run the integrations that take them.

    Serves every webhook source that the integrations of DIR and DIR/integrations name, and takes
    up files that change; SIGHUP resolves their secrets anew. It needs no Prefect server to accept
    events. SIGTERM and Ctrl-C end it once every request under way is answered.

    Exit code 2: a mistake in a file with `source.webhook`, or a secret that cannot be resolved;
    nothing listens then. Mistakes of other files are warnings.
    """
    settings = _settings(
        host=host,
        port=port,
        proxies=tuple(proxy or ()),
        metrics_to=tuple(metrics_to or PRIVATE),
        address_rate=address_rate,
        certificate=cert,
        key=key,
        header_seconds=header_timeout,
        body_seconds=body_timeout,
        connections=connections,
        refresh_networks=refresh_networks,
        access_log=access_log,
    )
    if not folder.is_dir():
        raise ConfigurationError(f"There is no folder {folder}.", advice="Name one with files.")
    from astrio.deployments.gateway.running import run_gateway

    if run_gateway(folder, settings, say, drain=drain) == signal.SIGINT:
        raise typer.Exit(INTERRUPTED)


def _settings(**given: object) -> GatewaySettings:
    try:
        settings = GatewaySettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{first['loc'][0]}: {what}.", advice="See --help.") from None
    if (settings.certificate is None) != (settings.key is None):
        raise ConfigurationError("--cert and --key go together.", advice="Give both, or neither.")
    return settings
