"""Errors on the screen: what each page shows of a survey. The view is `screens.errors`."""
