"""What an operator writes, as frozen values: one problem a line, each with its place and its fix."""
