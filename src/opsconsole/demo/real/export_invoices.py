"""A file of DAGs of Airflow that cannot be imported: its setting is missing here."""

import os

BUCKET = os.environ["INVOICE_BUCKET"]
