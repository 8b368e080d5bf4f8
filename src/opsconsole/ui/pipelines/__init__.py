"""Pipelines on the screen: what each page reads of Airflow, shows and can start. The views are `screens.pipelines`."""
