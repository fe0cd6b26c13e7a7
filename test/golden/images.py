"""Steps of networks of images in double precision by PyTorch, written from the papers without a look at our graphs.

The cases give the shapes of params and buffers by name; their values, images and labels come from the formula of `draws`,
as in images.ts. What the networks are stands in images_torch.py. A step is one of SGD with momentum; a decay is added to the
gradients of weights, and not to those of gains and biases. The teacher predicts by its own running statistics; its loss is
the cross-entropy against its probabilities, and the divergence that less their entropy.
"""

import numpy as np
import torch
import torch.nn.functional as F
from golden_file import read_cases, write_results
from images_torch import Run


def draws(count, seed):
    far = 43758.5453 * np.sin(12.9898 * np.arange(count) + 78.233 * seed)
    return far - np.floor(far)


def make_weights(case, seed):
    shapes = {**case["params"], **case["buffers"]}
    weights = {}
    for place, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        u = draws(int(np.prod(shape)), 1 + place + 1000 * seed)
        if name.endswith(".weight"):
            fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
            values = np.sqrt(6 / fan_in) * (2 * u - 1)
        elif name.endswith((".gain", ".variance")):
            values = 1 + 0.4 * (2 * u - 1)
        else:
            values = 0.2 * (2 * u - 1)
        rounded = values.astype(np.float32).astype(np.float64)
        weights[name] = torch.from_numpy(rounded.reshape(shape))
    return weights


def batch_of(case, step):
    height, width = case["options"]["imageSize"]
    shape = (case["batchSize"], height, width, case["options"]["channels"])
    pixels = np.floor(256 * draws(int(np.prod(shape)), 5000 + step)).astype(np.uint8).reshape(shape)
    labels = np.floor(case["options"]["numClasses"] * draws(case["batchSize"], 7000 + step)).astype(np.int64)
    return torch.from_numpy(pixels), torch.from_numpy(labels)


def run(case):
    weights, teacher = make_weights(case, 0), make_weights(case, 1)
    for name in case["params"]:
        weights[name].requires_grad_()
    is_kernel = {name: name.endswith(".weight") for name in case["params"]}
    groups = [
        {"params": [weights[name] for name in case["params"] if is_kernel[name]], "weight_decay": case["decay"]},
        {"params": [weights[name] for name in case["params"] if not is_kernel[name]], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.SGD(groups, lr=case["learningRate"], momentum=case["momentum"])
    label_losses, divergences = [], []
    for step in range(case["numSteps"]):
        images, labels = batch_of(case, step)
        logits = Run(case, weights, True).logits(images)
        label_loss = F.cross_entropy(logits, labels)
        loss, divergence = label_loss, None
        if case["taughtFrom"] is not None and step >= case["taughtFrom"]:
            with torch.no_grad():
                targets = torch.softmax(Run(case, teacher, False).logits(images), dim=1)
            distill_loss = -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
            divergence = (distill_loss + torch.xlogy(targets, targets).sum(dim=1).mean()).item()
            loss = label_loss + distill_loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        label_losses.append(label_loss.item())
        divergences.append(divergence)
    return {
        "labelLosses": label_losses,
        "divergences": divergences,
        "weights": {name: samples(tensor, case["numSamples"]) for name, tensor in weights.items()},
    }


def samples(tensor, most):
    flat = tensor.detach().reshape(-1)
    count = min(most, len(flat))
    return [float(f"{flat[i * len(flat) // count].item():.9g}") for i in range(count)]


write_results("images.py", {name: run(case) for name, case in read_cases().items()})
