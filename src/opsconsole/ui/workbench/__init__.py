"""The PostgreSQL workbench: what each page reads, shows and can repair. The view around them is `screens.workbench`."""
