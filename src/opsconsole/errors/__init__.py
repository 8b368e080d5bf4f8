"""What goes wrong everywhere: one row for each kind of error, from metrics, pipelines, databases and logs."""
