"""The screen: a view over the layers below, never in touch with a source."""
