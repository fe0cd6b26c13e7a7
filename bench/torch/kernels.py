"""How fast and how right PyTorch's matrix products are with the kernels of OpenBLAS that this process has.

OPENBLAS_CORETYPE in the environment chooses them; without it OpenBLAS does. Prints one JSON line, the `Measured` of
bench/kernels.ts. A kernel that the processor does not have ends the process.
"""

import json
import time

import torch
from run import blas

SIZE = 1024
ROUNDS = 8

# Multiples of no block, rows of one, and operands that are transposed: where kernels have been wrong.
SHAPES = [(SIZE, SIZE, SIZE), (1, 300, 7), (257, 129, 1), (33, 1025, 65), (2, 2, 2), (100, 1, 100)]


def error_of(product, a, b):
    """The largest difference from the product in float64, over what its terms add up to."""
    scale = (a.double().abs() @ b.double().abs()).clamp_min(1e-300)
    return ((product.double() - a.double() @ b.double()).abs() / scale).max().item()


def largest_error():
    errors = []
    for rows, inner, columns in SHAPES:
        a, b = torch.randn(rows, inner), torch.randn(inner, columns)
        errors.append(error_of(a @ b, a, b))
        errors.append(error_of(a.t().contiguous().t() @ b.t().contiguous().t(), a, b))
        batch, other = torch.randn(3, rows, inner), torch.randn(3, inner, columns)
        errors.append(error_of(torch.bmm(batch, other), batch, other))
    return max(errors)


def giga_flops():
    a, b = torch.randn(SIZE, SIZE), torch.randn(SIZE, SIZE)
    a @ b
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - started)
    return 2 * SIZE**3 / best / 1e9


torch.set_num_threads(1)
torch.manual_seed(1)
print(json.dumps({"blas": blas(), "gigaFlops": giga_flops(), "error": largest_error()}))
