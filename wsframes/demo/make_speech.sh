#!/bin/sh
# Makes the phrases that the demo speaks: speech/1.wav to speech/3.wav, 16 kHz, mono, 16 bits.
#
# Needs espeak-ng and sox (Debian: apt install espeak-ng sox). The files are committed, so nobody
# has to run this; it says where they come from. Run it to change the words, then commit the result.
set -eu
cd "$(dirname "$0")/speech"

speak() {
    number=$1
    shift
    # Silence is cut off at both ends: how long the pauses are is the client's choice. Without
    # dither (-D) the same words give the same bytes.
    espeak-ng -v en-gb-x-rp -s 160 -p 45 -g 1 --stdout "$*" |
        sox -D -t wav - -r 16000 -c 1 -b 16 -e signed-integer "$number.wav" \
            highpass 70 \
            silence 1 0.005 0.4% reverse \
            silence 1 0.005 0.4% fade t 0.01 reverse \
            fade t 0.004 gain -n -4
}

speak 1 "Hello, can you hear me?"
speak 2 "Every word comes back to me."
speak 3 "Thank you, and goodbye."
