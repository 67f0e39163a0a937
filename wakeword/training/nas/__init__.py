"""Search for cells by gradient (DARTS), on what a recipe trains on."""
