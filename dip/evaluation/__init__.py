"""How good x* is: metrics under named protocols, how far it is from its source, and studies of the method."""
