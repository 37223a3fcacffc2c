"""argmin: how θ is found, when the search stops, and which of its outputs is the answer."""
