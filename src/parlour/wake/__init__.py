"""Which device answers: pure rules with the time as an argument; no sockets, no tasks."""
