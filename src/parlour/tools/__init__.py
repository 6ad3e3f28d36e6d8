"""What an assistant can do beyond the home: calendars, databases, bookings, web services, MCP servers."""
