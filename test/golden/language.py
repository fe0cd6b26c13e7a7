"""The PyTorch twin of the language model: a layer-normalised LSTM that codistils, with the state carried from step to step.

A teacher reads the student's batches with a state of its own, which begins as zeros when it first teaches and goes on when
its params are replaced.
"""
import torch
import torch.nn.functional as F
from blocks_torch import layer_norm_lstm_layer
from golden_file import flat, read_cases, write_results


def tensors(arrays, dtype=torch.float64):
    return {name: torch.tensor(array["data"], dtype=dtype).reshape(array["shape"]) for name, array in arrays.items()}


def zeros(sizes):
    shape = (sizes["batchSize"], sizes["hidden"])
    return {f"layers.{i}": (torch.zeros(shape), torch.zeros(shape)) for i in range(2)}


def run(params, state, ids):
    """Logits [time batch, units], and the state after the last time."""
    x, after = params["embedding"][ids], {}
    for path, (hidden, cell) in state.items():
        x, hidden, cell = layer_norm_lstm_layer(params, path, x, hidden, cell)
        after[path] = (hidden.detach(), cell.detach())
    return x.reshape(-1, x.shape[-1]) @ params["output.weight"] + params["output.bias"], after


cases = read_cases()
params = {name: weight.requires_grad_() for name, weight in tensors(cases["params"][0]).items()}
optimizer = torch.optim.Adam(params.values(), lr=cases["learningRate"])
state, teacher_state = zeros(cases["sizes"]), zeros(cases["sizes"])
curves = {"labelLoss": [], "distillLoss": [], "gradNorm": []}
for step, batch in enumerate(cases["batches"]):
    batch = tensors(batch, torch.int64)
    logits, state = run(params, state, batch["ids"])
    label_loss, distill_loss = F.cross_entropy(logits, batch["labels"]), None
    loss = label_loss
    taught_by = [teacher for teacher in cases["teachers"] if teacher["from"] <= step]
    if taught_by:
        teacher = tensors(cases["params"][taught_by[-1]["params"]])
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
write_results("language.py", {**curves, **{f"end {name}": values for name, values in ends.items()}})
