"""The front door: one module per command group, and the composition root."""
