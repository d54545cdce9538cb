"""The pages of local Arthur, and the access to them."""
