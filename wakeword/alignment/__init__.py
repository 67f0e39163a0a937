"""Where words lie in recordings, from what is said: letters of a CTC network, in order.

Sequential alignment (Algorithm 1) and forced alignment (the best path) on the posteriors of a
small network that reads letters. ``wakeword.data.align`` is the alignment that needs no network.
"""
