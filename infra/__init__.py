"""What stands around the functions: the local stack, the import of files, and later policies, dashboards and alarms."""
