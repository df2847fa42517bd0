"""How tasks wait, sleep, and leave work to each other or to threads.

The ground of the transport: it imports nothing else of it, and all else may import it.
"""
