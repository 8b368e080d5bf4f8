"""The PostgreSQL workbench without a screen: what to ask a database, and what its answers mean.

A subject (`sessions`, `statements`, …) has its questions in `sql/`, its typed answers as frozen dataclasses, and what
follows from them as pure functions. Nothing here connects: questions go through whatever `Ask` it is given, which on
the screen is the poller's reader, and headless the source itself. What changes a database is an `Action`
(`opsconsole.database.actions`) and goes through the one door.
"""
