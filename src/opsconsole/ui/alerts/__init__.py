"""Alerts on the screen: what each page shows of a survey, and can start. The views are `screens.alerts`."""
