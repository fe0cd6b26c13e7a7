"""What the golden scripts share: they read the cases from argv[1] and write the results to argv[2]."""

import json
import sys

import torch

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def read_cases():
    with open(sys.argv[1], encoding="utf8") as file:
        return json.load(file)


def write_results(script, results):
    """One line for each result, so that a change shows as the lines it concerns."""
    origin = {"library": "PyTorch", "version": torch.__version__, "script": f"test/golden/{script}"}
    lines = [f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(result)}" for name, result in results.items()]
    with open(sys.argv[2], "w", encoding="utf8") as file:
        file.write('{\n"origin": ' + json.dumps(origin) + ',\n"results": {\n' + ",\n".join(lines) + "\n}\n}\n")


def flat(tensor):
    """The elements in row-major order, to 13 digits."""
    return [float(f"{value:.13g}") for value in tensor.detach().reshape(-1).tolist()]
