"""The PyTorch twins of language models that codistil: a layer-normalised LSTM, and transformers like Llama and GPT.

A teacher reads the student's batches. That of an LSTM has a state of its own, which begins as zeros when it first teaches
and goes on when its params are replaced. A teacher that does not change is another network: wider, deeper, of another style.
"""
import torch
import torch.nn.functional as F
from blocks_torch import layer_norm_lstm_layer
from golden_file import flat, read_cases, write_results

EPSILON = 1e-5
cases = read_cases()


def tensors(arrays, dtype=torch.float64):
    return {name: torch.tensor(array["data"], dtype=dtype).reshape(array["shape"]) for name, array in arrays.items()}


def lstm(params, state, ids):
    """Logits [time batch, vocabulary], and the state after the last time."""
    x, after = params["embedding"][ids], {}
    for path, (hidden, cell) in state.items():
        x, hidden, cell = layer_norm_lstm_layer(params, path, x, hidden, cell)
        after[path] = (hidden.detach(), cell.detach())
    return x.reshape(-1, x.shape[-1]) @ params["output.weight"] + params["output.bias"], after


def linear(params, path, x):
    return F.linear(x, params[f"{path}.weight"].T, params.get(f"{path}.bias"))


def norm(params, path, x):
    gain, bias = params[f"{path}.gain"], params.get(f"{path}.bias")
    if bias is None:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON) * gain
    return F.layer_norm(x, gain.shape, gain, bias, EPSILON)


def turned(x):
    """Rotary positions on [batch, heads, time, depth], as complex numbers: the pair (i, i + depth / 2) is one."""
    time, depth = x.shape[-2:]
    frequencies = 10000.0 ** (-torch.arange(0, depth, 2) / depth)
    turns = torch.polar(torch.ones(time, depth // 2), torch.arange(time)[:, None] * frequencies)
    first, second = x.chunk(2, dim=-1)
    y = torch.complex(first, second) * turns
    return torch.cat([y.real, y.imag], dim=-1)


def transformer(params, state, ids, sizes=cases["transformer"]):
    """Logits [batch time, vocabulary]; there is no state."""
    x = params["embedding"][ids]
    batch, time, width = x.shape
    for layer in range(sizes["numLayers"]):
        path = f"blocks.{layer}"
        qkv = linear(params, f"{path}.attention.qkv", norm(params, f"{path}.norm1", x))
        heads = qkv.reshape(batch, time, 3, sizes["numHeads"], -1).permute(2, 0, 3, 1, 4)
        scores = turned(heads[0]) @ turned(heads[1]).transpose(-1, -2) / (width / sizes["numHeads"]) ** 0.5
        future = torch.ones(time, time, dtype=torch.bool).triu(1)
        seen = F.softmax(scores.masked_fill(future, -torch.inf), dim=-1) @ heads[2]
        x = x + linear(params, f"{path}.attention.output", seen.transpose(1, 2).reshape(batch, time, width))
        y = norm(params, f"{path}.norm2", x)
        up = linear(params, f"{path}.mlp.up", y)
        inner = F.silu(linear(params, f"{path}.mlp.gate", y)) * up if f"{path}.mlp.gate.weight" in params else F.gelu(up)
        x = x + linear(params, f"{path}.mlp.down", inner)
    x = norm(params, "norm", x).reshape(batch * time, width)
    return x @ (params["output.weight"] if "output.weight" in params else params["embedding"].T), state


def zeros(sizes=cases["lstm"], num_layers=2):
    shape = (cases["batchSize"], sizes["hidden"])
    return {f"layers.{i}": (torch.zeros(shape), torch.zeros(shape)) for i in range(num_layers)}


def train(run, state, given):
    params = {name: weight.requires_grad_() for name, weight in tensors(given["params"][0]).items()}
    optimizer = torch.optim.Adam(params.values(), lr=cases["learningRate"])
    teacher_state = state
    curves = {"labelLoss": [], "distillLoss": [], "gradNorm": []}
    for step, batch in enumerate(given["batches"]):
        batch = tensors(batch, torch.int64)
        logits, state = run(params, state, batch["ids"])
        label_loss, distill_loss = F.cross_entropy(logits, batch["labels"]), None
        loss = label_loss
        taught_by = [teacher for teacher in cases["teachers"] if teacher["from"] <= step]
        if taught_by:
            teacher = tensors(given["params"][taught_by[-1]["params"]])
            with torch.no_grad():
                teacher_logits, teacher_state = run(teacher, teacher_state, batch["ids"])
            distill_loss = F.cross_entropy(logits, F.softmax(teacher_logits, dim=1))
            loss = label_loss + cases["distillWeight"] * distill_loss
        optimizer.zero_grad()
        loss.backward()
        curves["labelLoss"].append(label_loss.item())
        curves["distillLoss"].append(None if distill_loss is None else distill_loss.item())
        curves["gradNorm"].append(torch.sqrt(sum((weight.grad**2).sum() for weight in params.values())).item())
        optimizer.step()
    ends = {name: flat(weight) for name, weight in params.items()}
    for prefix, parts in (("state", state), ("teacherState", teacher_state)):
        for path, (hidden, cell) in parts.items():
            ends[f"{prefix}.{path}.hidden"], ends[f"{prefix}.{path}.cell"] = flat(hidden), flat(cell)
    return {**curves, **{f"end {name}": values for name, values in ends.items()}}


def train_fixed(run, states, teacher_run, given):
    """(1 - w) cross entropy with the labels + w cross entropy with what the teacher predicts, which never changes."""
    params = {name: weight.requires_grad_() for name, weight in tensors(given["student"]).items()}
    teacher, weight = tensors(given["teacher"]), cases["fixed"]["weight"]
    optimizer = torch.optim.Adam(params.values(), lr=cases["learningRate"])
    state, teacher_state = states
    curves = {"labelLoss": [], "targetLoss": [], "gradNorm": []}
    for batch in given["batches"]:
        batch = tensors(batch, torch.int64)
        logits, state = run(params, state, batch["ids"])
        with torch.no_grad():
            teacher_logits, teacher_state = teacher_run(teacher, teacher_state, batch["ids"])
        label_loss = F.cross_entropy(logits, batch["labels"])
        target_loss = F.cross_entropy(logits, F.softmax(teacher_logits, dim=1))
        optimizer.zero_grad()
        ((1 - weight) * label_loss + weight * target_loss).backward()
        curves["labelLoss"].append(label_loss.item())
        curves["targetLoss"].append(target_loss.item())
        curves["gradNorm"].append(torch.sqrt(sum((weight.grad**2).sum() for weight in params.values())).item())
        optimizer.step()
    return curves


results = {}
for network, given in cases["networks"].items():
    run, state = (lstm, zeros()) if network == "lstm" else (transformer, {})
    results.update({f"{network} {name}": values for name, values in train(run, state, given).items()})
fixed = cases["fixed"]
wide = lambda params, state, ids: transformer(params, state, ids, fixed["transformer"])
runs = {
    "llama": (transformer, ({}, {}), wide),
    "lstm": (lstm, (zeros(), zeros(fixed["lstm"], fixed["lstm"]["numLayers"])), lstm),
}
for network, given in fixed["networks"].items():
    curves = train_fixed(*runs[network], given)
    results.update({f"fixed {network} {name}": values for name, values in curves.items()})
write_results("language.py", results)
