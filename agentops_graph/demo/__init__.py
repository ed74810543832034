"""A real ML system to look after, with a fault that can be switched on."""
