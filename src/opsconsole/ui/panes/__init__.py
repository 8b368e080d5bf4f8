"""One pure function per pane kind: from a state, a size and a set of glyphs to lines."""
