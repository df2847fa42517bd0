"""What hears the user: the filter, the detector of voice, the analyzer of turns, what they tell.

`chain` joins them; `input` is where the audio comes from.
"""
