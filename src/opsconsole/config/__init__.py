"""Load and validate what people edit; every error with file, line and column."""
