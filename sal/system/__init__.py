"""What every Linux machine has: processes, services, packages, accounts, keys, names, time, certificates, sensors."""
