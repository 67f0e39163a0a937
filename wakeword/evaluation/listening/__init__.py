"""The listening page: every miss and every false alarm in one HTML file, the worst first."""
