"""What a call and a step are in OpenInference's words. Pure."""
