"""The pages of local Arthur, and who may look at them."""
