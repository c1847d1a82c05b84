from __future__ import annotations

from typing import ClassVar

from tests.contracts.signature import ID, SignatureContract

from astrio.blocks.webhooks.schemes.shopify import Shopify


class TestShopify(SignatureContract):
    scheme: ClassVar = Shopify()
    secret: ClassVar = "canary-1"
    other: ClassVar = "canary-2"
    covered: ClassVar = ("x-shopify-hmac-sha256",)
    single: ClassVar = ("x-shopify-hmac-sha256", "x-shopify-webhook-id")
    id_expected: ClassVar = ID


class TestShopifyByEvent(TestShopify):
    scheme: ClassVar = Shopify(id_header="X-Shopify-Event-Id")
    single: ClassVar = ("x-shopify-hmac-sha256", "x-shopify-event-id")
