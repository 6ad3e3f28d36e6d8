"""Answers what the home does not: conversation with a language model, and who answers what."""
