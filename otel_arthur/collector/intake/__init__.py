"""A request's spans are read, routed and appended to the spool, while the request goes on."""
