"""File formats that Pillow alone cannot do justice: pixels of 16 bits, and all that lies beside them."""
