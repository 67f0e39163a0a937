"""What the service remembers: thresholds, detections, live use, calibrations, keys."""
