"""The life of the process: forks, ends, signals, and children that run no exit handler.

Imports no other room. What must happen in a process registers here: deliveries and exporters.
"""
