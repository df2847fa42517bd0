"""What an application lets in, and how it lets go: origins and authorization, places, room on the
event loop, how fast a peer may send, and the signals of a shutdown.

It imports nothing else of the transport; `app` uses it, and `input` its limits.
"""
