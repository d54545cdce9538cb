"""Redaction: texts lose mail addresses, card numbers and keys before they reach disk or network."""
