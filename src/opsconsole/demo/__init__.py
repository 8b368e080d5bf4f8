"""A complete live platform on one machine, for trying, teaching and testing."""
