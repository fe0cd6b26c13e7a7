"""Outputs and gradients of the operation cases, in double precision by PyTorch."""

import torch
import torch.nn.functional as F
from golden_file import flat, read_cases, write_results

DTYPES = {"float32": torch.float64, "int32": torch.int64, "bool": torch.bool}


def reduced(function):
    # PyTorch takes an empty list of axes for all of them.
    def apply(x, axes, keepDims):
        return function(x, dim=axes, keepdim=keepDims) if axes else x

    return apply


def scatter_add(indices, updates, numRows):
    rest = updates.shape[indices.dim() :]
    rows = updates.reshape(indices.numel(), *rest)
    return torch.zeros(numRows, *rest).index_add(0, indices.reshape(-1), rows)


def pad(x, axis, before, after):
    widths = [0, 0] * x.dim()
    widths[2 * (x.dim() - 1 - axis)] = before
    widths[2 * (x.dim() - 1 - axis) + 1] = after
    return F.pad(x, widths)


def matmul(a, b, transposeA, transposeB, scale):
    return scale * torch.matmul(a.transpose(-1, -2) if transposeA else a, b.transpose(-1, -2) if transposeB else b)


def cumulative_sum(x, axis, exclusive, reverse):
    ordered = torch.flip(x, [axis]) if reverse else x
    sums = torch.cumsum(ordered, axis) - (ordered if exclusive else 0)
    return torch.flip(sums, [axis]) if reverse else sums


def log_softmax_at(logits, classes):
    every = torch.log_softmax(logits, -1)
    return -F.nll_loss(every.reshape(-1, logits.shape[-1]), classes.reshape(-1), reduction="none").reshape(classes.shape), every


def layer_norm(x, gain, bias, epsilon):
    variance, mean = torch.var_mean(x, -1, unbiased=False, keepdim=True)
    return F.layer_norm(x, x.shape[-1:], gain, bias, epsilon), mean, torch.rsqrt(variance + epsilon)


FUNCTIONS = {
    "neg": torch.neg,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: F.softplus(x, threshold=1000),
    "abs": torch.abs,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "sin": torch.sin,
    "cos": torch.cos,
    "clamp": lambda x, min, max: torch.clamp(x, min, max),
    "gelu": F.gelu,
    "quickGelu": lambda x, alpha: x * torch.sigmoid(alpha * x),
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": torch.where,
    "cast": lambda x, to: x.to(DTYPES[to]),
    "matmul": matmul,
    "reduceSum": reduced(torch.sum),
    "reduceMean": reduced(torch.mean),
    "reduceMax": reduced(torch.amax),
    "reduceMin": reduced(torch.amin),
    "cumulativeSum": cumulative_sum,
    "softmax": lambda x: torch.softmax(x, -1),
    "logSoftmax": lambda x: torch.log_softmax(x, -1),
    "logSoftmaxAt": log_softmax_at,
    "layerNorm": layer_norm,
    "part": lambda whole, index: whole[index],
    "takeAlong": lambda x, indices, axis: torch.gather(x, axis, indices),
    "addAlong": lambda x, indices, updates, axis: x.scatter_add(axis, indices, updates),
    "topK": lambda x, k: tuple(torch.topk(x, k)),
    "flip": lambda x, axis: torch.flip(x, [axis]),
    "expand": lambda x, like: torch.broadcast_to(x, like.shape),
    "reshape": lambda x, shape: torch.reshape(x, [-1 if axis == "batch" else axis for axis in shape]),
    "transpose": lambda x, permutation: torch.permute(x, permutation),
    "concat": lambda *xs, axis: torch.cat(xs, dim=axis),
    "slice": lambda x, axis, start, end: torch.narrow(x, axis, start, end - start),
    "pad": pad,
    "gather": lambda table, indices: table[indices],
    "scatterAdd": scatter_add,
}


def evaluate(case):
    values = []
    varied = {}
    for node in case["nodes"]:
        if "value" in node:
            value = node["value"]
            tensor = torch.tensor(value["data"], dtype=DTYPES[value["dtype"]]).reshape(value["shape"])
            if node["isVaried"]:
                varied[node["attributes"]["name"]] = tensor.requires_grad_()
        else:
            # An operation with several results is a tuple of them; the first is its value.
            operands = [values[position] for position in node["operands"]]
            if node["op"] != "part":
                operands = [operand[0] if isinstance(operand, tuple) else operand for operand in operands]
            tensor = FUNCTIONS[node["op"]](*operands, **node["attributes"])
        values.append(tensor)
    output = values[-1][0] if isinstance(values[-1], tuple) else values[-1]
    (output.reshape(-1) * torch.tensor(case["cotangent"], dtype=torch.float64)).sum().backward()
    return {
        "inputs": {name: flat(tensor) for name, tensor in varied.items()},
        "output": flat(output),
        "gradients": {name: flat(tensor.grad) for name, tensor in varied.items()},
    }


write_results("ops.py", {case["name"]: evaluate(case) for case in read_cases()})
