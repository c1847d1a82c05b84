"""Files as destinations: each is written whole, or not at all.

A run's rows gather in a spool. When the reading has ended and its account adds up, a note in the
ledger says what is about to be shown, the file is put in its place, and the state of the stream
moves on. Whatever ends the process in between, the next run finds the note and finishes.
"""
