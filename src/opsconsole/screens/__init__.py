"""Screens as content: definition, loading, polling, evaluation. No user interface in here."""
