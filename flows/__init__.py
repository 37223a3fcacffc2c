"""Prefect flows over images: a manifest in shards, one Dask task per image, results in Parquet."""
