"""Where readings come from. Each source connects lazily, times out, and says what it can do."""
