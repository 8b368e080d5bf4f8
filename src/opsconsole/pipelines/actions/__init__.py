"""What changes pipelines: actions for the one door, each with a look before it, and proof after it.

Airflow accepts much that then does not happen: a run of a paused DAG waits for ever, a cleared task may never be
scheduled. Here it counts when the run has really begun, or with `wait: ended` when it has ended well.
"""
