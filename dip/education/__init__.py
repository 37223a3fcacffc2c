"""Education: starts for fits are taught by drawn pictures."""
