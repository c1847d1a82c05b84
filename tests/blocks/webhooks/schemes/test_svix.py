from __future__ import annotations

from typing import ClassVar

from tests.blocks.webhooks.schemes.test_standard_webhooks import TestStandardWebhooks as _Standard

from astrio.blocks.webhooks.schemes.svix import Svix


class TestSvix(_Standard):
    scheme: ClassVar = Svix()
    covered: ClassVar = ("svix-id", "svix-timestamp", "svix-signature")
