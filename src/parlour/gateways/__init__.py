"""A socket or an HTTP route on one side, a conversation on the other."""
