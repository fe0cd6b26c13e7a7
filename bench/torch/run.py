"""Some training steps of one workload by PyTorch, in a process of their own.

    run.py <workload> <threads> <steps> <warm-up steps>

Prints one JSON line, the `StepTimes` of bench/step-child.ts. Without arguments it prints the versions alone.
"""

import ctypes
import json
import statistics
import sys
import time

import torch


def memory(line):
    """A line of /proc/self/status in bytes."""
    with open("/proc/self/status", encoding="utf8") as status:
        return next(1024 * int(text.split()[1]) for text in status if text.startswith(f"{line}:"))


def blas():
    """Which kernels of OpenBLAS were chosen for this processor; None where torch has another BLAS."""
    try:
        library = ctypes.CDLL("libblas.so.3")
        library.openblas_get_corename.restype = library.openblas_get_config.restype = ctypes.c_char_p
        version = " ".join(library.openblas_get_config().decode().split()[:2])
        return f"{version}, kernels for {library.openblas_get_corename().decode()}"
    except (OSError, AttributeError):
        return None


def versions():
    lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
    has_one_dnn = torch.backends.mkldnn.is_available()
    return {
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "blas": blas(),
        "oneDNN": next((line for line in lines if "MKL-DNN" in line), None) if has_one_dnn else None,
        "vectors": next((line for line in lines if line.startswith("CPU capability")), None),
    }


def measure(name, threads, num_steps, num_warm_up):
    from workloads import WORKLOADS

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    step = WORKLOADS[name]()
    milliseconds, losses = [], []
    for i in range(num_warm_up + num_steps):
        started = time.perf_counter()
        loss = step()
        if i >= num_warm_up:
            milliseconds.append(1000 * (time.perf_counter() - started))
        losses.append(loss)
    return {
        "medianMs": statistics.median(milliseconds),
        "ms": milliseconds,
        "peakRssBytes": memory("VmHWM"),
        "rssBytes": [],
        "losses": [losses[0], losses[-1]],
        "versions": versions(),
    }


if __name__ == "__main__":
    print(json.dumps(versions() if len(sys.argv) == 1 else measure(sys.argv[1], *map(int, sys.argv[2:]))))
