"""Building, running and marking the problem sets: see ``assignments/__main__.py``."""
