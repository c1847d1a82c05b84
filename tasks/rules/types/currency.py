"""type currency: a currency's three capital letters (ISO 4217), such as EUR.

The codes of the standard's list one, and those withdrawn since 2018 (HRK, BGN): old records
still bear them.
"""

from __future__ import annotations

from typing import Any

from astrio.tasks.mapping.values import kind
from astrio.tasks.rules.base import TypeRule

_LISTED = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN
BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR
FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY
KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP
TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB
XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_LISTED.split())
WITHDRAWN = frozenset(["ANG", "BGN", "CUC", "HRK", "MRO", "SLL", "STD", "VEF", "ZWL"])
_KNOWN = CURRENCIES | WITHDRAWN


class Currency(TypeRule):
    """`type: currency`, or `validator: currency`."""

    name = "currency"

    def reason(self, value: Any) -> str | None:
        """Refuse what is no currency's code."""
        if not isinstance(value, str):
            return f"is {kind(value)}; a currency's code is text"
        return None if value in _KNOWN else "is no currency's code such as EUR"
