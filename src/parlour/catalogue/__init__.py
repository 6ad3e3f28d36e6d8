"""What is known of every engine, model and voice, each fact with its source; it imports no engine."""
