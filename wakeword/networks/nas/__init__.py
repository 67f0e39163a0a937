"""Networks of searched cells (DARTS, Liu et al. 2019; for keyword spotting Mo et al. 2020)."""
