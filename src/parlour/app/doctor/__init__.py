"""What `parlour doctor` looks at, by topic: each finding is one sentence, and names the mend."""
