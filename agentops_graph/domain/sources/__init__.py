"""What is read besides the warehouse in the data folder; every source is off until it is named."""
