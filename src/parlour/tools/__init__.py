"""What an assistant can do beyond the home: calendars, databases, bookings, the web, MCP servers.

Each file makes `ports.Tool` values out of options; none knows a model, a graph or the home.
"""
