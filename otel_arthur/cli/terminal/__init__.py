"""What a person sees: output, colours, progress, errors as one line."""
