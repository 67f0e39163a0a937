"""Long work: calibrations, one at a time, in a process of their own."""

from wakeword_service.jobs.calibrations import Calibrations

__all__ = ["Calibrations"]
