"""Files that a person gives."""
