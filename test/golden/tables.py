"""Networks of tables, values and gradients, in double precision by PyTorch."""

import math

import torch
import torch.nn.functional as F
from golden_file import flat, read_cases, write_results


def piecewise(x, edges):
    """The code of one number: a column for each bin."""
    columns = [((x - start) / (end - start)).clamp(0, 1) for start, end in zip(edges, edges[1:])]
    return torch.stack(columns, dim=1)


def numbers_of(case, params):
    embedding = case.get("numericEmbedding")
    scaled, coded = [], []
    for values, (name, quantiles) in zip(case["numbers"], case["quantiles"].items()):
        if embedding is None:
            mean, std = case["moments"][name]
            scaled.append(torch.tensor([0.0 if value is None else (value - mean) / std for value in values]))
            continue
        low, quartile, median, other, high = quantiles[:: len(quantiles) // 4]
        width = (other - quartile) / 1.349 or (high - low) / 2 or 1.0
        x = torch.tensor([median if value is None else value for value in values])
        u = (x - median) / width
        z = u / torch.sqrt(1 + (u / 3) ** 2)
        scaled.append(z)
        if embedding["kind"] == "piecewise":
            every = len(quantiles) // embedding["bins"]
            coded.append(piecewise(x, sorted(set(quantiles[::every]))))
        else:
            turns = 2 * math.pi * z[:, None] * params["numbers.frequencies"][len(scaled) - 1]
            waves = torch.cat([torch.sin(turns), torch.cos(turns)], dim=1)
            coded.append(torch.relu(waves @ params["numbers.weight"] + params["numbers.bias"]))
    return torch.cat([torch.stack(scaled, dim=1), *coded], dim=1)


def losses_of(case, logits):
    labels, targets = torch.tensor(case["labels"]), torch.tensor(case["targets"])
    if case["numOutputs"] == 1:
        logits = logits.reshape(-1)
        return (
            torch.sigmoid(logits),
            F.binary_cross_entropy_with_logits(logits, labels.double()),
            F.binary_cross_entropy_with_logits(logits, targets),
        )
    return (
        torch.softmax(logits, dim=1),
        F.cross_entropy(logits, labels.long()),
        F.cross_entropy(logits, targets.reshape(-1, case["numOutputs"])),
    )


def trained(case):
    params = {
        name: torch.tensor(value["data"], dtype=torch.float64).reshape(value["shape"]).requires_grad_()
        for name, value in case["params"].items()
    }
    rows = torch.cat([params["embeddings.origin"][torch.tensor(case["ids"])], numbers_of(case, params)], dim=1)
    num_layers = sum(name.startswith("layers.") and name.endswith(".weight") for name in params)
    of_members = []
    for member in range(max(1, case["members"])):
        x = rows
        for i in range(num_layers):
            scale, weight, bias = (params.get(f"layers.{i}.{part}") for part in ("scale", "weight", "bias"))
            x = torch.relu(x) if i > 0 else x
            x = (x * scale[member]) @ weight + bias[member] if case["members"] else x @ weight + bias
        of_members.append(losses_of(case, x))
    probs, label_loss, distill_loss = (torch.stack(values).mean(dim=0) for values in zip(*of_members))
    (label_loss + distill_loss).backward()
    return {
        "probs": flat(probs),
        "labelLoss": flat(label_loss),
        "distillLoss": flat(distill_loss),
        "gradients": {name: flat(param.grad) for name, param in params.items()},
    }


write_results("tables.py", {name: trained(case) for name, case in read_cases().items()})
