"""Bulk runs on a Ray cluster: one submitter that spends the money, many workers that fetch pictures.

::

    import ray
    from seedream.ray import RayGenerate, start_submitter

    submitter = start_submitter("out")
    rows = ray.data.read_json("jobs.jsonl")
    workers = ray.data.ActorPoolStrategy(size=2)
    pictures = rows.map_batches(RayGenerate, fn_constructor_args=(submitter, "/shared/pictures"), compute=workers)
    pictures.write_parquet("manifest")
    print(submitter.close().counts)

It needs the extra ``ray``.
"""

from seedream.ray.cluster import cluster
from seedream.ray.generate import RayGenerate
from seedream.ray.run import RayBulk
from seedream.ray.submitter import RaySubmitter, start_submitter

__all__ = ["RayBulk", "RayGenerate", "RaySubmitter", "cluster", "start_submitter"]
