"""Dask: workers are started or found, jobs sent to them, and their deaths survived."""
