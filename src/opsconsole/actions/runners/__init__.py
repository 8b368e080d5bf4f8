"""Runners: how an action is carried out."""
