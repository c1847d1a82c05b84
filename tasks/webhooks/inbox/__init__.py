"""The inbox: every accepted webhook, durable before its sender hears so.

    appending.py      the gateway's side: many arrivals in one transaction, each stored once
    checkpointing.py  SQLite's log is moved while nobody waits
    claiming.py       the drainer's side: claim, extend, finish, fail, release
    looking.py        list, show, counts
    tending.py        replay and purge

An event is `received`; claimed it is `started`; then it is `done`, or `failed` until its next
attempt is due, or `dead`. `due_at` is when somebody may claim it: its arrival, its next attempt,
or, while it is started, the end of its holder's lease; what is done or dead is never due.
"""
