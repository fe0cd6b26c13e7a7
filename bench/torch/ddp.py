"""Some training steps of one workload by PyTorch's DistributedDataParallel with Gloo: processes of one thread each.

    ddp.py <workload> <processes> <steps> <warm-up steps>

Each process has its share of the batch. Prints one JSON line, the `PeerFigures` of bench/workers-peer.ts: the milliseconds of process
0, and the memory and the processor's time of all together.
"""

import json
import os
import resource
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from run import blas, memory
from torch.nn.parallel import DistributedDataParallel


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def summed(number):
    total = torch.tensor(number, dtype=torch.float64)
    dist.all_reduce(total)
    return total.item()


def work(rank, name, num_processes, num_steps, num_warm_up, meeting):
    from workloads import WORKLOADS

    torch.set_num_threads(1)
    torch.manual_seed(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=num_processes)
    step = WORKLOADS[name](num_processes, lambda network: DistributedDataParallel(network, gradient_as_bucket_view=True))
    milliseconds, begun = [], 0.0
    for i in range(num_warm_up + num_steps):
        if i == num_warm_up:
            begun = used()
        started = time.perf_counter()
        step()
        if i >= num_warm_up:
            milliseconds.append(1000 * (time.perf_counter() - started))
    cpu, peak = summed(1000 * (used() - begun) / num_steps), summed(memory("VmHWM"))
    if rank == 0:
        print(json.dumps({"ms": milliseconds, "cpuMs": cpu, "peakRssBytes": peak, "blas": blas()}))


if __name__ == "__main__":
    sizes = list(map(int, sys.argv[2:]))
    with tempfile.TemporaryDirectory() as folder:
        meeting = os.path.join(folder, "meeting")
        multiprocessing.spawn(work, (sys.argv[1], *sizes, meeting), nprocs=sizes[0])
