"""Looking at Prometheus rule files, whoever wrote them: what is wrong with them, and what will only show at night."""
