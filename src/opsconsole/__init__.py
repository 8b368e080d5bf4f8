"""opsconsole: an operations console for the terminal.

The layers, top down (`lint-imports` proves that imports only point downwards):
cli > ui, demo > screens > runbooks > actions > sources > store > config > core.
"""

__version__ = "0.1.0"
