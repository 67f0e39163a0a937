"""Sound comes in: PCM, recordings, resampling, ring buffer, microphones."""
