"""Steps of a network of images by PyTorch in float32, in a process of their own.

    images.py <case as JSON> <threads> <steps>

The case is one of bench/images.ts: network, options, batchSize, and the shapes of params and buffers by name. Prints one
JSON line, the `Figures` of a side there.
"""

import json
import resource
import statistics
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "test/golden"))
from images_torch import Run  # noqa: E402

WARM_UP = 2

case, threads, num_steps = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
torch.manual_seed(1)


def begun(name, shape):
    if name.endswith(".weight"):
        fan_in = torch.Size(shape[1:]).numel() if len(shape) == 4 else shape[0]
        return torch.randn(shape) * (2 / fan_in) ** 0.5
    return torch.full(shape, float(name.endswith((".gain", ".variance"))))


weights = {name: begun(name, shape) for name, shape in {**case["params"], **case["buffers"]}.items()}
params = [weights[name].requires_grad_() for name in case["params"]]
optimizer = torch.optim.SGD(params, lr=0.01, momentum=0.9, foreach=False)
options, size = case["options"], case["batchSize"]
images = torch.randint(0, 256, (size, *options["imageSize"], options["channels"]), dtype=torch.uint8)
labels = torch.arange(size) % options["numClasses"]
milliseconds, cpu = [], []
for step in range(WARM_UP + num_steps):
    used, started = time.process_time(), time.perf_counter()
    loss = F.cross_entropy(Run(case, weights, True).logits(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()
    if step >= WARM_UP:
        milliseconds.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.process_time() - used))
peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"ms": statistics.median(milliseconds), "cpuMs": statistics.median(cpu), "peakRssBytes": peak}))
