"""Services that hear and speak over HTTP and WebSocket, in the server's own loop, without SDKs."""
