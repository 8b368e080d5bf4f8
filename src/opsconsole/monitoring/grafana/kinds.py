"""Panel types of Grafana and our kinds of pane, in both directions; and why some panels cannot be taken over."""

from typing import NamedTuple

from opsconsole.screens.definition import Kind


class Taken(NamedTuple):
    """What a panel type becomes."""

    kind: Kind
    lost: str = ""
    """What our kind shows differently; empty where it shows the same."""


KINDS: dict[str, Taken] = {
    "timeseries": Taken(Kind.TIMESERIES),
    "graph": Taken(Kind.TIMESERIES),
    "trend": Taken(Kind.TIMESERIES, "the horizontal axis is time"),
    "stat": Taken(Kind.STAT),
    "singlestat": Taken(Kind.STAT),
    "grafana-singlestat-panel": Taken(Kind.STAT),
    "gauge": Taken(Kind.GAUGE),
    "radialbar": Taken(Kind.GAUGE),
    "briangann-gauge-panel": Taken(Kind.GAUGE),
    "bargauge": Taken(Kind.BARS),
    "barchart": Taken(Kind.BARS),
    "piechart": Taken(Kind.BARS, "slices are bars, largest first"),
    "grafana-piechart-panel": Taken(Kind.BARS, "slices are bars, largest first"),
    "marcusolsson-treemap-panel": Taken(Kind.BARS, "areas are bars, largest first"),
    "table": Taken(Kind.TABLE),
    "table-old": Taken(Kind.TABLE),
    "heatmap": Taken(Kind.HEATMAP),
    "heatmap-new": Taken(Kind.HEATMAP),
    "histogram": Taken(Kind.BARS, "values are bars, not counted into buckets"),
    "state-timeline": Taken(Kind.TIMELINE),
    "status-history": Taken(Kind.TIMELINE),
    "natel-discrete-panel": Taken(Kind.TIMELINE),
    "flant-statusmap-panel": Taken(Kind.TIMELINE),
    "vonage-status-panel": Taken(Kind.STATUS),
    "grafana-polystat-panel": Taken(Kind.STATUS, "hexagons are lines, worst first"),
    "text": Taken(Kind.TEXT),
}
"""Panel type -> what it becomes."""

REFUSED: dict[str, str] = {
    "logs": "log lines are not shown on screens",
    "dashlist": "a list of dashboards of that Grafana",
    "alertlist": "alerts have their own page in the console, and `opsconsole alert list`",
    "annolist": "annotations of that Grafana are not known here",
    "news": "news are fetched from the web",
    "welcome": "a page of Grafana itself",
    "gettingstarted": "a page of Grafana itself",
    "pluginlist": "a page of Grafana itself",
    "nodeGraph": "graphs of nodes cannot be drawn in a terminal",
    "geomap": "maps cannot be drawn in a terminal",
    "grafana-worldmap-panel": "maps cannot be drawn in a terminal",
    "canvas": "free drawings cannot be drawn in a terminal",
    "jdbranham-diagram-panel": "diagrams cannot be drawn in a terminal",
    "flamegraph": "flame graphs cannot be drawn in a terminal",
    "traces": "traces are not shown on screens",
    "candlestick": "candlesticks cannot be drawn in a terminal",
    "xychart": "scatter plots cannot be drawn in a terminal",
}
"""Panel type -> why nothing becomes of it."""

PANEL_TYPES: dict[Kind, str] = {
    Kind.STAT: "stat",
    Kind.GAUGE: "gauge",
    Kind.TIMESERIES: "timeseries",
    Kind.BARS: "bargauge",
    Kind.TABLE: "table",
    # A list of things that are good or not, each with its word: Grafana's nearest is a stat for each.
    Kind.STATUS: "stat",
    Kind.TIMELINE: "state-timeline",
    Kind.HEATMAP: "heatmap",
    Kind.TEXT: "text",
    # A panel among the others, which holds them while it is collapsed.
    Kind.SECTION: "row",
}
"""Our kind -> the panel type that shows it; a `view` has none."""
