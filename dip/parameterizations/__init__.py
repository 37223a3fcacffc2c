"""g and z: how an image is parameterized, and what the parameterization is fed."""
