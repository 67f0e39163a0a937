"""The streaming service: FastAPI over the engine of ``wakeword``."""
