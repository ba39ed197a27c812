"""Cases under any sequence of commands: a world without signatures, words for it, and a judge who knows the rules."""
