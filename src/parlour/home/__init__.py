"""The house: its catalogue, grammar, commands and the demo home; the only room that knows MQTT."""
