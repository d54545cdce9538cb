"""The tests: folders mirror the source, `support` is what they share, `captures` what libraries wrote."""
