"""From a request's spans to the spool: read, routed, appended beside the request."""
