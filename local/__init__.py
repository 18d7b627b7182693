"""The laptop: the whole pipeline on one machine, with the real functions and clients."""
