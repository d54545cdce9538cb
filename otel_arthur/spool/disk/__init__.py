"""What lies on disk: the index, the bodies of large batches, the keys, who holds a lease."""
