"""What a message is made of: parts, media, tools."""
