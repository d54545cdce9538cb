"""A request and its reply, bytes first: inflated, measured, decoded, within the memory there is."""
