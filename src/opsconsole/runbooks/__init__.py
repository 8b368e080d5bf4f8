"""Runbooks: Markdown in, a run that can be trusted out."""
