"""The pages of alerts, in the order of their tabs."""

from opsconsole.ui.pages.page import PageSpec


def _spec(name: str, title: str, made_by: str) -> PageSpec:
    return PageSpec(name, title, f"opsconsole.ui.alerts.{made_by}")


PAGES = (
    _spec("alerts", "Alerts", "active:ActivePage"),
    _spec("silences", "Silences", "silenced:SilencesPage"),
    _spec("history", "History", "past:HistoryPage"),
    _spec("receivers", "Receivers", "receivers:ReceiversPage"),
    _spec("watch", "Watch", "watching:WatchPage"),
)
