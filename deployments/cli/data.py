"""`--data`: JSON on the command line, in a file (`@FILE`) or on standard input (`-`)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from astrio.blocks.errors import ConfigurationError


def read_data(data: str, example: str) -> Any:
    """Return the JSON value that `--data` gives.

    Args:
        data: what the user wrote.
        example: what could have been written.

    Raises:
        ConfigurationError: it is no JSON, or cannot be read.
    """
    try:
        if data == "-":
            text = sys.stdin.read()
        else:
            text = Path(data[1:]).read_text("utf-8") if data.startswith("@") else data
        return json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--data cannot be read: {error}.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"--data is no JSON: {error}.", advice=f"Write e.g. --data '{example}'."
        ) from None
