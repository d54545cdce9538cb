"""The SDK's logs, which are private in its releases so far: their names, and how a processor is flushed."""
