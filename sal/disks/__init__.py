"""A node's own disks: devices, partitions, file systems and mounts."""
