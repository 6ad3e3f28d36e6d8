"""Sans-I/O protocols: text and bytes in, events out; no clock, no await, no socket."""
