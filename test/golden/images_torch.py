"""Networks of images by PyTorch, written from the papers: for golden values in float64 and for measurements in float32.

Weights are given by the names that ours have: convolution weights [outputs, inputs / groups, height, width], the linear
weight [inputs, classes]. Batch norms divide by sqrt(biased variance + 1e-5); running statistics keep 0.9 and take 0.1 of the
batch's mean and unbiased variance.
"""

import torch
import torch.nn.functional as F

REPEATS = {20: (3, 3, 3), 32: (5, 5, 5), 56: (9, 9, 9), 18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}
MOBILE_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


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
        dtype = self.weights["head.bias"].dtype
        x = images.permute(0, 3, 1, 2).to(dtype) / 255
        shape = (1, -1, 1, 1)
        mean, std = (torch.tensor(options[name], dtype=dtype).reshape(shape) for name in ("mean", "std"))
        x = (x - mean) / std
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
