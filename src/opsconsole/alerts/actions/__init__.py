"""What can be done about alerts: `alert.silence`, `alert.edit-silence`, `alert.unsilence`, `alert.test`."""
