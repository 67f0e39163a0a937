"""Many clients against one server, real audio in real time: parts of load.py and soak.py."""
