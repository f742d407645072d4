"""What stands around the functions: the local stack, and later policies, dashboards and alarms."""
