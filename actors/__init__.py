"""What the system can do, as REST methods: one folder an app, one file an actor."""
