"""Watchers hear of each page and of the report, only within their block."""

from __future__ import annotations

from astrio.tasks.progress import Progress, announce, watching
from astrio.tasks.report import RunReport

PAGE = Progress(pages=1, fetched=10, rejected=0, claimed=None)


def test_every_watcher_hears_the_news() -> None:
    one: list[Progress | RunReport] = []
    other: list[Progress | RunReport] = []
    report = RunReport(integration="items")
    with watching(one.append):
        announce(PAGE)
        with watching(other.append):
            announce(report)
    assert one == [PAGE, report]
    assert other == [report]


def test_nobody_hears_what_comes_after_the_block() -> None:
    heard: list[Progress | RunReport] = []
    with watching(heard.append):
        pass
    announce(PAGE)
    assert heard == []
