"""What a dialect is made of: places, ways to read from them, and what its table comes to on a span."""
