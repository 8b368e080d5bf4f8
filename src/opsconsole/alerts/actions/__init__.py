"""What can be done about alerts: `alertmanager.silence`, `alertmanager.expire`."""
