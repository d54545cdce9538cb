"""A target's contract with the delivery, and the common parts of all targets of the package.

The delivery decides who sends what and when, and the spool keeps rows. The target decides how a row is
written, how rows are sent, and how an answer is read.
"""
