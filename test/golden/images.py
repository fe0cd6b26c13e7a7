"""Steps of networks of images in double precision by PyTorch, written from the papers without a look at our graphs.

The cases give the shapes of params and buffers by name; their values, images and labels come from the formula of `draws`,
as in images.ts. Convolution weights are [outputs, inputs / groups, height, width], the linear weight is [inputs, classes].
A step is one of SGD with momentum; a decay is added to the gradients of weights, and not to those of gains and biases.
Batch norms divide by sqrt(biased variance + 1e-5); running statistics keep 0.9 and take 0.1 of the batch's mean and
unbiased variance. The teacher predicts by its own running statistics; its loss is the cross-entropy against its
probabilities, and the divergence that less their entropy.
"""

import numpy as np
import torch
import torch.nn.functional as F
from golden_file import read_cases, write_results

REPEATS = {20: (3, 3, 3), 32: (5, 5, 5), 56: (9, 9, 9), 18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
MOBILE_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


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


class Run:
    """One pass through a network: in training by the batch's statistics, moving the running ones, else by these."""

    def __init__(self, case, weights, is_training):
        self.case, self.weights, self.is_training = case, weights, is_training

    def norm(self, path, x):
        mean, variance, gain, bias = (self.weights[f"{path}.{name}"] for name in ("mean", "variance", "gain", "bias"))
        return F.batch_norm(x, mean, variance, gain, bias, self.is_training, 0.1, 1e-5)

    def conv(self, path, x, **options):
        return F.conv2d(x, self.weights[f"{path}.weight"], **options)

    def head(self, x):
        return x.mean(dim=(2, 3)) @ self.weights["head.weight"] + self.weights["head.bias"]

    def logits(self, images):
        options = self.case["options"]
        x = images.permute(0, 3, 1, 2).double() / 255
        shape = (1, -1, 1, 1)
        x = (x - torch.tensor(options["mean"]).reshape(shape)) / torch.tensor(options["std"]).reshape(shape)
        return getattr(self, self.case["network"])(x, options)

    def cnn(self, x, options):
        for i in range(len(options.get("widths", (32, 64, 128)))):
            x = F.max_pool2d(self.conv(f"blocks.{i}.conv", x, padding=1), 2)
            x = F.relu(self.norm(f"blocks.{i}.norm", x))
        return self.head(x)

    def resnet(self, x, options):
        depth = options["depth"]
        if depth in (18, 50):
            x = F.relu(self.norm("stem.norm", self.conv("stem.conv", x, stride=2, padding=3)))
            x = F.max_pool2d(x, 3, 2, 1)
        else:
            x = F.relu(self.norm("stem.norm", self.conv("stem.conv", x, padding=1)))
        for stage, count in enumerate(REPEATS[depth]):
            for i in range(count):
                x = self.block(f"stages.{stage}.{i}", x, depth, 2 if stage > 0 and i == 0 else 1)
        return self.head(x)

    def block(self, path, x, depth, stride):
        if depth == 50:
            y = F.relu(self.norm(f"{path}.norm1", self.conv(f"{path}.conv1", x)))
            y = F.relu(self.norm(f"{path}.norm2", self.conv(f"{path}.conv2", y, stride=stride, padding=1)))
            y = self.norm(f"{path}.norm3", self.conv(f"{path}.conv3", y))
        else:
            y = F.relu(self.norm(f"{path}.norm1", self.conv(f"{path}.conv1", x, stride=stride, padding=1)))
            y = self.norm(f"{path}.norm2", self.conv(f"{path}.conv2", y, padding=1))
        if f"{path}.convShortcut.weight" in self.weights:
            x = self.norm(f"{path}.normShortcut", self.conv(f"{path}.convShortcut", x, stride=stride))
        elif y.shape != x.shape:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(x + y)

    def mobilenet(self, x, options):
        stride = 1 if min(options["imageSize"]) < 64 else 2
        x = F.relu(self.norm("stem.norm", self.conv("stem.conv", x, stride=stride, padding=1)))
        for i, stride in enumerate(MOBILE_STRIDES):
            path = f"blocks.{i}"
            x = self.conv(f"{path}.depthwise", x, stride=stride, padding=1, groups=x.shape[1])
            x = F.relu(self.norm(f"{path}.depthwiseNorm", x))
            x = F.relu(self.norm(f"{path}.pointwiseNorm", self.conv(f"{path}.pointwise", x)))
        return self.head(x)


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
