"""The workloads of bench/specs.ts by PyTorch: from a name to a function that makes a step, which gives its loss.

Each may have a share of the batch alone, one n-th, and be wrapped by what shares its steps with other processes.
"""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[2] / "test/golden"))
from blocks_torch import (  # noqa: E402
    affine,
    layer_norm_lstm,
    layer_norm_lstm_shapes,
    residual,
    residual_shapes,
    running_statistics,
    transformer,
    transformer_shapes,
)


def random_params(shapes):
    """Gains 1, biases 0, all others normal with standard deviation 1 / sqrt(what one output is summed over)."""

    def param(path, shape):
        if path.endswith((".gain", ".bias")):
            return torch.full(shape, float(path.endswith(".gain")))
        fan_in = torch.Size(shape[1:]).numel() if len(shape) == 4 else shape[0]
        return torch.randn(shape) * (0.05 if "embedding" in path else fan_in**-0.5)

    return {path: torch.nn.Parameter(param(path, shape)) for path, shape in shapes.items()}


def mlp_shapes(widths):
    layers = enumerate(zip(widths, widths[1:]))
    return {f"layers.{i}.{name}": shape for i, (n, m) in layers for name, shape in (("weight", [n, m]), ("bias", [m]))}


def mlp(params, x, num_layers):
    for i in range(num_layers):
        x = affine(params, f"layers.{i}", x)
        x = F.relu(x) if i < num_layers - 1 else x
    return x.squeeze(1)


def adam(params):
    # On the CPU one param after the other is faster than all of them at once.
    return torch.optim.Adam(params.values(), lr=1e-3, foreach=False)


def momentum(params):
    return torch.optim.SGD(params.values(), lr=1e-3, momentum=0.9, foreach=False)


class Network(torch.nn.Module):
    """Params, and the loss of a batch by them."""

    def __init__(self, params, loss_of):
        super().__init__()
        for path, param in params.items():
            self.register_parameter(path.replace(".", "_"), param)
        self.loss_of = loss_of

    def forward(self):
        return self.loss_of()


def training(params, optimizer, loss_of, wrapped):
    """Steps on one batch over and over; what the model keeps goes from step to step. `wrapped` may share them with other processes."""
    if wrapped:
        loss_of = wrapped(Network(params, loss_of))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def carried(model, params, kept, batch, *options):
    """The loss of a model of blocks_torch, with what it keeps going from call to call."""
    state = kept

    def loss_of():
        nonlocal state
        loss, state = model(params, state, batch, *options)
        return loss

    return loss_of


def labels(batch_size):
    return (torch.rand(batch_size) < 0.25).float()


def click(share=1, wrapped=None):
    x, y = torch.randn(256 // share, 1000), labels(256 // share)
    params = random_params(mlp_shapes([1000, 2560, 1024, 256, 1]))
    return training(params, adam(params), lambda: F.binary_cross_entropy_with_logits(mlp(params, x, 4), y), wrapped)


def flights(share=1, wrapped=None):
    rows = 2048 // share
    sizes = {"origin": (300, 16), "destination": (300, 16), "halfHour": (48, 8), "weekday": (7, 4), "route": (4000, 16)}
    ids = {name: torch.randint(num_ids, (rows,)) for name, (num_ids, _) in sizes.items()}
    number, y = torch.randn(rows, 1), labels(rows)
    tables = {f"embeddings.{name}": list(size) for name, size in sizes.items()}
    params = random_params({**tables, **mlp_shapes([61, 128, 64, 1])})

    def loss_of():
        columns = [F.embedding(column, params[f"embeddings.{name}"]) for name, column in ids.items()]
        logits = mlp(params, torch.cat([*columns, torch.nan_to_num(number, nan=0.0)], dim=1), 3)
        return F.binary_cross_entropy_with_logits(logits, y)

    return training(params, adam(params), loss_of, wrapped)


def language_model(share=1, wrapped=None):
    num_times, batch_size, vocabulary, hidden, num_layers = 32, 32 // share, 8192, 512, 2
    params = random_params(layer_norm_lstm_shapes(vocabulary, 256, hidden, num_layers))
    paths = [f"layers.{layer}.{name}" for layer in range(num_layers) for name in ("hidden", "cell")]
    kept = {path: torch.zeros(batch_size, hidden) for path in paths}
    batch = {name: torch.randint(vocabulary, (num_times, batch_size)) for name in ("ids", "labels")}
    return training(params, adam(params), carried(layer_norm_lstm, params, kept, batch), wrapped)


def transformer_block(share=1, wrapped=None):
    params = random_params(transformer_shapes(256))
    batch = {name: torch.randn(16 // share, 128, 256) for name in ("x", "target")}
    return training(params, adam(params), carried(transformer, params, {}, batch, 4), wrapped)


def llama_shapes(vocabulary, width, num_layers):
    inner = 8 * math.ceil(width / 3)
    shapes = {"embedding": [vocabulary, width], "norm.gain": [width]}
    for layer in range(num_layers):
        path = f"blocks.{layer}"
        shapes.update({f"{path}.{norm}.gain": [width] for norm in ("norm1", "norm2")})
        shapes[f"{path}.attention.qkv"] = [width, 3 * width]
        shapes[f"{path}.attention.output"] = [width, width]
        shapes.update({f"{path}.mlp.{name}": [width, inner] for name in ("gate", "up")})
        shapes[f"{path}.mlp.down"] = [inner, width]
    return shapes


def rms_norm(params, path, x):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * params[f"{path}.gain"]


def llama_model(params, ids, labels, cos, sin, later, num_heads):
    x = params["embedding"][ids]
    batch, length, width = x.shape

    def turned(heads):
        first, second = heads.chunk(2, dim=-1)
        return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)

    num_layers = sum(name.endswith("qkv") for name in params)
    for path in (f"blocks.{layer}" for layer in range(num_layers)):
        qkv = rms_norm(params, f"{path}.norm1", x) @ params[f"{path}.attention.qkv"]
        query, key, value = qkv.reshape(batch, length, 3, num_heads, -1).permute(2, 0, 3, 1, 4)
        scores = turned(query) @ turned(key).transpose(-1, -2) * (width / num_heads) ** -0.5
        seen = torch.softmax(scores.masked_fill(later, -math.inf), dim=-1) @ value
        x = x + seen.transpose(1, 2).reshape(batch, length, width) @ params[f"{path}.attention.output"]
        y = rms_norm(params, f"{path}.norm2", x)
        inner = F.silu(y @ params[f"{path}.mlp.gate"]) * (y @ params[f"{path}.mlp.up"])
        x = x + inner @ params[f"{path}.mlp.down"]
    logits = rms_norm(params, "norm", x).reshape(-1, width) @ params["embedding"].T
    return F.cross_entropy(logits, labels.reshape(-1))


def llama(share=1, wrapped=None):
    batch_size, num_times, vocabulary, width, num_heads = 8 // share, 128, 4096, 256, 4
    params = random_params(llama_shapes(vocabulary, width, 4))
    ids, y = (torch.randint(vocabulary, (batch_size, num_times)) for _ in range(2))
    depth = width // num_heads
    angles = torch.arange(num_times)[:, None] * 10000.0 ** (-torch.arange(0, depth, 2) / depth)
    later = torch.ones(num_times, num_times, dtype=torch.bool).triu(1)
    fixed = (ids, y, angles.cos(), angles.sin(), later, num_heads)
    return training(params, adam(params), lambda: llama_model(params, *fixed), wrapped)


def residual_block(channels, size):
    # In the usual order of axes: with the channels last it took 1.0 to 1.6 times as long.
    def make(share=1, wrapped=None):
        params = random_params(residual_shapes(channels))
        kept = {**running_statistics("norm1", channels), **running_statistics("norm2", channels)}
        batch = {name: torch.randn(64 // share, channels, size, size) for name in ("x", "target")}
        return training(params, momentum(params), carried(residual, params, kept, batch), wrapped)

    return make


WORKLOADS = {
    "click": click,
    "flights": flights,
    "lstm": language_model,
    "transformer": transformer_block,
    "llama": llama,
    "residual64": residual_block(64, 32),
    "residual128": residual_block(128, 16),
}
