"""What is played to the peer: what waits for it, what is mixed in, and when it begins and ends.

It decides and waits; `media_sender` and `output` put it together, and send.
"""
