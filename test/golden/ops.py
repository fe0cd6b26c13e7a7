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
    if not isinstance(numRows, int):  # As many as indices.
        numRows = indices.numel()
    rest = updates.shape[indices.dim() :]
    rows = updates.reshape(indices.numel(), *rest)
    return torch.zeros(numRows, *rest).index_add(0, indices.reshape(-1), rows)


def set_rows(table, indices, rows):
    """Row by row: of equal rows in one place the last takes the whole gradient, where index_put would give it to each."""
    result = list(table)
    for position, row in zip(indices.reshape(-1).tolist(), rows.reshape(indices.numel(), *table.shape[1:])):
        result[position] = row
    return torch.stack(result)


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


def window_padding(pads):
    """Pads as F.pad takes them: the last axis first."""
    return [width for pair in reversed(pads) for width in pair]


def conv(x, weight, strides, pads, dilations, groups):
    function = {3: F.conv1d, 4: F.conv2d}[x.dim()]
    return function(F.pad(x, window_padding(pads)), weight, None, strides, 0, dilations, groups)


def conv_transpose(x, weight, strides, pads, dilations, groups, outputPadding):
    function = {3: F.conv_transpose1d, 4: F.conv_transpose2d}[x.dim()]
    symmetric = all(before == after for before, after in pads)
    if symmetric:
        padding = [before for before, _ in pads]
        return function(x, weight, None, strides, padding, outputPadding, groups, dilations)
    # Without pads, and cut afterwards.
    whole = function(x, weight, None, strides, 0, outputPadding, groups, dilations)
    for axis, (before, after) in enumerate(pads):
        whole = torch.narrow(whole, axis + 2, before, whole.shape[axis + 2] - before - after)
    return whole


def conv_weight_grad(x, g, kernel, strides, pads, dilations, groups):
    """As PyTorch differentiates its convolution; differentiable again."""
    with torch.enable_grad():
        weight = torch.zeros(g.shape[1], x.shape[1] // groups, *kernel, requires_grad=True)
        y = conv(x, weight, strides, pads, dilations, groups)
        return torch.autograd.grad((y * g).sum(), weight, create_graph=True)[0]


def max_pool(x, kernel, strides, pads, dilations):
    function = {3: F.max_pool1d, 4: F.max_pool2d}[x.dim()]
    return function(F.pad(x, window_padding(pads), value=-torch.inf), kernel, strides, 0, dilations)


def average_pool(x, kernel, strides, pads, dilations, countIncludePad):
    function = {3: F.avg_pool1d, 4: F.avg_pool2d}[x.dim()]
    if all(before == after for before, after in pads):
        padding = [before for before, _ in pads]
        return function(x, kernel, strides, padding, count_include_pad=countIncludePad)
    pooled = [function(F.pad(values, window_padding(pads)), kernel, strides) for values in (x, torch.ones_like(x))]
    return pooled[0] if countIncludePad else pooled[0] / pooled[1]


def scatter_within(updates, positions, sizes):
    zeros = torch.zeros(*updates.shape[:2], torch.Size(sizes).numel())
    return zeros.scatter_add(2, positions.flatten(2), updates.flatten(2)).reshape(*updates.shape[:2], *sizes)


def gather_within(x, positions):
    return torch.gather(x.flatten(2), 2, positions.flatten(2)).reshape(positions.shape)


def batch_norm(x, scale, shift, epsilon):
    axes = [axis for axis in range(x.dim()) if axis != 1]
    y = F.batch_norm(x, None, None, scale, shift, training=True, eps=epsilon)
    return y, x.mean(axes), x.var(axes, unbiased=False)


def normalise(x, scale, shift, mean, variance, epsilon):
    # PyTorch gives no gradient by running statistics, so they are written out.
    shape = [1, -1] + [1] * (x.dim() - 2)
    mean, variance, scale, shift = (vector.reshape(shape) for vector in (mean, variance, scale, shift))
    return (x - mean) / torch.sqrt(variance + epsilon) * scale + shift


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
    "split": lambda x, axis, sizes: torch.split(x, sizes, axis),
    "flip": lambda x, axis: torch.flip(x, [axis]),
    "expand": lambda x, like: torch.broadcast_to(x, like.shape),
    "reshape": lambda x, shape: torch.reshape(x, [-1 if axis == "batch" else axis for axis in shape]),
    "transpose": lambda x, permutation: torch.permute(x, permutation),
    "concat": lambda *xs, axis: torch.cat(xs, dim=axis),
    "slice": lambda x, axis, start, end: torch.narrow(x, axis, start, end - start),
    "pad": pad,
    "gather": lambda table, indices: table[indices],
    "scatterAdd": scatter_add,
    "setRows": set_rows,
    "conv": conv,
    "convTranspose": conv_transpose,
    "convWeightGrad": conv_weight_grad,
    "maxPool": max_pool,
    "averagePool": average_pool,
    "scatterWithin": scatter_within,
    "gatherWithin": gather_within,
    "batchNorm": batch_norm,
    "normalise": normalise,
    "channelDots": lambda a, b: (a * b).sum([axis for axis in range(a.dim()) if axis != 1]),
}


def first(value):
    """Of an operation with several results, the one that it stands for."""
    return value[0] if isinstance(value, tuple) else value


def run(nodes, values, varied):
    """Append the values of nodes, each computed from earlier ones."""
    for node in nodes:
        if "value" in node:
            value = node["value"]
            tensor = torch.tensor(value["data"], dtype=DTYPES[value["dtype"]]).reshape(value["shape"])
            if node["isVaried"]:
                varied[node["attributes"]["name"]] = tensor.requires_grad_()
        else:
            # An operation with several results is a tuple of them; the first is its value.
            operands = [values[position] for position in node["operands"]]
            if node["op"] != "part":
                operands = [first(operand) for operand in operands]
            tensor = FUNCTIONS[node["op"]](*operands, **node["attributes"])
        values.append(tensor)


def scan(*inputs, nodes, given, states, elements, results, reverse):
    """A loop in plain Python: `given` are the places that hold a step's inputs, in the order of `inputs`."""
    carried, sequences, shared = inputs[:states], inputs[states : states + elements], inputs[states + elements :]
    steps = range(sequences[0].shape[0])
    collected = []
    for step in reversed(steps) if reverse else steps:
        own = [*carried, *(sequence[step] for sequence in sequences), *shared]
        values = []
        for node in nodes:
            if node["place"] in given:
                values.append(own[given.index(node["place"])])
            else:
                run([node], values, {})
        computed = [first(values[place]) for place in results]
        carried = computed[:states]
        collected.append(computed[states:])
    rows = list(zip(*(reversed(collected) if reverse else collected)))
    return (*carried, *(torch.stack(row) for row in rows))


FUNCTIONS["scan"] = scan


def evaluate(case):
    values = []
    varied = {}
    run(case["nodes"], values, varied)
    output = first(values[-1])
    (output.reshape(-1) * torch.tensor(case["cotangent"], dtype=torch.float64)).sum().backward()
    return {
        "inputs": {name: flat(tensor) for name, tensor in varied.items()},
        "output": flat(output),
        "gradients": {name: flat(tensor.grad) for name, tensor in varied.items()},
    }


write_results("ops.py", {case["name"]: evaluate(case) for case in read_cases()})
