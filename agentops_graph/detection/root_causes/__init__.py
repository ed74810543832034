"""Where a fault began: components and metrics ranked from their series around the onset."""
