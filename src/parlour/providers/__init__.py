"""One file per vendor or engine: its options, its traits, its engine; none knows another."""
