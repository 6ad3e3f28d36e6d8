"""One conversation: listening, ending a turn, answering; no sockets, no vendors, no wall clock."""
