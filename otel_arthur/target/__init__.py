"""A target's contract with the delivery, and what all targets of the package share.

The delivery decides who sends what and when, and the spool keeps rows. What a row is, how rows are sent and
how an answer is read is the target's business.
"""
