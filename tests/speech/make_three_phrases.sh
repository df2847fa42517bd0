#!/bin/sh
# Makes three_phrases.wav: 8 kHz, mono, 16 bits; three phrases over a soft pink noise, which swells
# in the middle, about 10 s.
#
# Needs espeak-ng and sox (Debian: apt install espeak-ng sox). The file is committed, so nobody has
# to run this; it says where it comes from. The times of the phrases in recording.py
# were marked by hand: mark them again if you change anything here.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

speak() {
    espeak-ng -v "$2" -s 150 -g 1 --stdout "$3" |
        sox -D -t wav - -r 8000 -c 1 -b 16 -e signed-integer "$work/$1.wav" \
            silence 1 0.005 0.4% reverse silence 1 0.005 0.4% reverse \
            fade t 0.004 gain -n "$4" pad "$5" "$6"
}

# words, level (dB), silence before and after (s)
speak 1 en-gb-x-rp "Hello, can you hear me?" -4 1.2 0.7
speak 2 en-us "Please book a table for two." -8 0.9 1.0
speak 3 en-gb-scotland "That is all, thank you." -5 0.9 1.4
sox -D "$work/1.wav" "$work/2.wav" "$work/3.wav" "$work/speech.wav"

# The seed of sox's noise is the same every time (-R).
seconds=$(soxi -D "$work/speech.wav")
sox -R -D -n -r 8000 -c 1 -b 16 "$work/noise.wav" synth "$seconds" pinknoise gain -n -31
sox -R -D -n -r 8000 -c 1 -b 16 "$work/swell.wav" synth 1.2 pinknoise \
    gain -n -28 fade h 0.5 1.2 0.5 pad 3.2 0
sox -D -m -v 1 "$work/speech.wav" -v 1 "$work/noise.wav" -v 1 "$work/swell.wav" three_phrases.wav
