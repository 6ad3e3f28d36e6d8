"""How parts hear of each other's events; never a room of business logic."""
