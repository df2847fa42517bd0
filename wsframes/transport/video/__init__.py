"""Images at a websocket: taken in as pixels, and shown on each destination at their moment.

`wsframes.video` makes them ready, in a worker thread; `input` and `output` use it.
"""
