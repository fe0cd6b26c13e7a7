"""The PyTorch twin: trains what our codistillation trains, from the same inputs, written without a look at its graphs.

The cases are the settings and two safetensors files in base64. The results are the losses of every step and some norms;
beside them go twin-sgd.safetensors and twin-adam.safetensors (final params of both groups) and twin-steps.safetensors
(single steps of Adam: the state before, the teachers, the state after).
"""
import base64
import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from golden_file import read_cases, write_results  # One thread: the results repeat to the bit.

torch.set_default_dtype(torch.float32)  # As we train.

DTYPES = {"F32": np.float32, "I32": np.int32}
LOSSES = ("labelLoss", "distillLoss", "divergence", "gradNorm")


def decode_safetensors(raw):
    (header_size,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + header_size])
    header.pop("__metadata__", None)
    data = raw[8 + header_size :]
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
        for name, entry in header.items()
    }


def encode_safetensors(tensors):
    origin = {"library": "PyTorch", "version": torch.__version__, "script": "test/golden/twin.py"}
    header, chunks, at = {"__metadata__": origin}, [], 0
    for name, tensor in tensors.items():
        chunk = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(chunk)]}
        chunks.append(chunk)
        at += len(chunk)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(chunks)


class Network(torch.nn.Module):
    """Embeddings and standardised numbers into linear layers with ReLU between them; one logit per example."""

    def __init__(self, network, arrays):
        super().__init__()
        self.network = network
        self.weights = {name: torch.nn.Parameter(torch.from_numpy(array.copy())) for name, array in arrays.items()}
        for name, weight in self.weights.items():
            self.register_parameter(name.replace(".", "_"), weight)

    def forward(self, batch):
        return self.with_hidden(batch)[0]

    def with_hidden(self, batch):
        """The logits, and the values of the last hidden layer."""
        columns = [F.embedding(batch[f"features.{name}"].long(), self.weights[f"embeddings.{name}"])
                   for name in self.network["categorical"]]
        for name, spec in self.network["numeric"].items():
            x = (batch[f"features.{name}"] - spec["mean"]) / spec["std"]
            columns.append(torch.nan_to_num(x, nan=0.0)[:, None])  # A missing value counts as the mean.
        x = torch.cat(columns, dim=1)
        num_layers = len(self.network["hidden"]) + 1
        for i in range(num_layers):
            hidden = x if i == 0 else F.relu(x)
            x = F.linear(hidden, self.weights[f"layers.{i}.weight"].T, self.weights[f"layers.{i}.bias"])
        return x.squeeze(1), hidden

    def copy(self):
        """A teacher: it keeps the weights of now, whatever the original goes on to learn."""
        return Network(self.network, {name: weight.detach().numpy() for name, weight in self.weights.items()})


def make_groups(settings, inputs):
    """For each group its network, and a function from step to batch."""
    networks, batches = [], []
    for group in range(settings["numGroups"]):
        params, columns = (
            {name[len(prefix) :]: array for name, array in inputs.items() if name.startswith(prefix)}
            for prefix in (f"{group}.params.", f"{group}.batches.")
        )
        networks.append(Network(settings["network"], params))
        columns = {name: torch.from_numpy(rows) for name, rows in columns.items()}
        batches.append(lambda step, columns=columns: {name: rows[step] for name, rows in columns.items()})
    return networks, batches


def make_optimizer(name, params):
    return {"sgd": lambda: torch.optim.SGD(params, lr=0.0), "adam": lambda: torch.optim.Adam(params, lr=0.0)}[name]()


def learn(network, optimizer, batch, teachers, settings, rates, step):
    """One step: label loss plus weight times the loss against the mean of the teachers' probabilities."""
    start, end = rates
    optimizer.param_groups[0]["lr"] = start + (end - start) * step / settings["numSteps"]
    logits = network(batch)
    label_loss = F.binary_cross_entropy_with_logits(logits, batch["labels"])
    loss, distill_loss, divergence = label_loss, None, None
    if teachers:
        with torch.no_grad():
            targets = torch.stack([torch.sigmoid(teacher(batch)) for teacher in teachers]).mean(dim=0)
        distill_loss = F.binary_cross_entropy_with_logits(logits, targets)
        divergence = distill_loss - F.binary_cross_entropy(targets, targets)  # Less the entropy of the targets.
        loss = label_loss + settings["distillWeight"] * distill_loss
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    grad_norm = torch.sqrt(sum((weight.grad.double() ** 2).sum() for weight in network.weights.values()))
    optimizer.step()
    losses = (label_loss, distill_loss, divergence, grad_norm)
    return {name: None if value is None else rounded(value) for name, value in zip(LOSSES, losses)}


def codistill(settings, inputs, optimizer_name):
    """Two groups in lockstep. Returns their curves and their networks.

    When a snapshot begins to teach. In a round, group 0 takes a step and its exchange comes to rest; then group 1 does
    the same. With s steps taken, s >= burn-in and s - burn-in a multiple of the interval, a group first publishes its
    own params and then looks for the other's; what it finds teaches it from its next step on. So after step 40 group 0
    looks in vain, and group 1 finds what group 0 published a moment ago and is taught by it in steps 41 to 50; after
    step 50 group 0 finds what group 1 published after step 40, and is taught by it in steps 51 to 60. So the teachers
    of group 1 are 0 to 9 steps old, those of group 0 are 10 to 19.
    """
    networks, batches = make_groups(settings, inputs)
    optimizers = [make_optimizer(optimizer_name, list(network.weights.values())) for network in networks]
    published, seen = [None, None], [None, None]  # By the group that published; by the group that is taught.
    curves = [{name: [] for name in (*LOSSES, "teacherStep")} for _ in networks]
    for step in range(settings["numSteps"]):
        for group in (0, 1):
            teacher_step, teacher = seen[group] or (None, None)
            losses = learn(networks[group], optimizers[group], batches[group](step), [teacher] if teacher else [],
                           settings, settings["optimizers"][optimizer_name], step)
            for name, value in {**losses, "teacherStep": teacher_step}.items():
                curves[group][name].append(value)
            taken = step + 1
            since = taken - settings["burnInSteps"]
            if since >= 0 and since % settings["publishInterval"] == 0:
                published[group] = (taken, networks[group].copy())
            if since >= 0 and since % settings["exchangeInterval"] == 0:
                seen[group] = published[1 - group]
    return curves, networks


def generations(settings, inputs):
    """Offline distillation, over and over: each student learns alone, with the finished one before as its teacher.

    Its loss is (1 - w) times that on labels and w times that against the teacher's probabilities; the first has none.
    Students have the params and the batches of group 1 and of group 0 in turn.
    """
    weight, curves, norms_of, teacher = settings["teacherWeight"], [], [], None
    for generation in range(settings["numGenerations"]):
        networks, batches = make_groups(settings, inputs)
        network, batch_at = networks[(generation + 1) % 2], batches[(generation + 1) % 2]
        optimizer = make_optimizer("adam", list(network.weights.values()))
        start, end = settings["optimizers"]["adam"]
        curve = {name: [] for name in ("labelLoss", "targetLoss", "gradNorm")}
        for step in range(settings["numSteps"]):
            optimizer.param_groups[0]["lr"] = start + (end - start) * step / settings["numSteps"]
            batch = batch_at(step)
            logits = network(batch)
            label_loss = F.binary_cross_entropy_with_logits(logits, batch["labels"])
            loss, target_loss = label_loss, None
            if teacher is not None:
                with torch.no_grad():
                    targets = torch.sigmoid(teacher(batch))
                target_loss = F.binary_cross_entropy_with_logits(logits, targets)
                loss = (1 - weight) * label_loss + weight * target_loss
            optimizer.zero_grad(set_to_none=False)
            loss.backward()
            grad_norm = torch.sqrt(sum((w.grad.double() ** 2).sum() for w in network.weights.values()))
            optimizer.step()
            for name, value in (("labelLoss", label_loss), ("targetLoss", target_loss), ("gradNorm", grad_norm)):
                curve[name].append(None if value is None else rounded(value))
        curves.append(curve)
        norms_of.append(norms({path: weight.detach().numpy() for path, weight in network.weights.items()}))
        teacher = network
    return curves, norms_of


def gram_run(settings, inputs):
    """Group 0, taught by what group 1 begins with and by the same with one embedding doubled: predictions and Gram matrices.

    The matrices are of all pairs of rows of the batch, centred, and divided by their norm.
    """
    networks, batches = make_groups(settings, inputs)
    network, teachers = networks[0], [networks[1].copy(), networks[1].copy()]
    teachers[1].weights["embeddings.origin"].data *= 2
    optimizer = make_optimizer("sgd", list(network.weights.values()))
    start, end = settings["optimizers"]["sgd"]
    curve = {name: [] for name in ("labelLoss", "distillLoss", "gramLoss", "gradNorm")}

    def gram(hidden):
        hidden = hidden.double()  # Distances are small differences of sums over many pairs.
        centred = hidden - hidden.mean(dim=0)
        pairs = centred @ centred.T
        return pairs / torch.linalg.norm(pairs)

    for step in range(settings["numSteps"]):
        optimizer.param_groups[0]["lr"] = start + (end - start) * step / settings["numSteps"]
        batch = batches[0](step)
        logits, hidden = network.with_hidden(batch)
        with torch.no_grad():
            said = [teacher.with_hidden(batch) for teacher in teachers]
        targets = torch.stack([torch.sigmoid(answer) for answer, _ in said]).mean(dim=0)
        label_loss = F.binary_cross_entropy_with_logits(logits, batch["labels"])
        distill_loss = F.binary_cross_entropy_with_logits(logits, targets)
        apart = [0.5 * ((gram(hidden) - gram(other)) ** 2).sum() for _, other in said]
        gram_loss = torch.stack(apart).mean()
        loss = label_loss + settings["distillWeight"] * (distill_loss + settings["gramWeight"] * gram_loss)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        grad_norm = torch.sqrt(sum((w.grad.double() ** 2).sum() for w in network.weights.values()))
        optimizer.step()
        for name, value in zip(curve, (label_loss, distill_loss, gram_loss, grad_norm)):
            curve[name].append(rounded(value))
    return curve, norms({path: weight.detach().numpy() for path, weight in network.weights.items()})


def single_steps(settings, inputs):
    """Adam on group 0, with copies of all other groups as teachers, renewed every few steps from step 0 on."""
    networks, batches = make_groups(settings, inputs)
    optimizers = [make_optimizer("adam", list(network.weights.values())) for network in networks]
    rates, tensors, losses = settings["optimizers"]["adam"], {}, {}
    for step in range(settings["numSteps"]):
        if step % settings["exchangeInterval"] == 0:
            copies = [network.copy() for network in networks]
        for group, network in enumerate(networks):
            teachers = copies[:group] + copies[group + 1 :]
            is_kept = group == 0 and step in settings["at"]
            if is_kept:
                tensors.update(state_of(network, optimizers[group], f"{step}.before"))
                for slot, teacher in enumerate(teachers):
                    tensors.update({f"{step}.teachers.{slot}.{name}": w for name, w in teacher.weights.items()})
            result = learn(network, optimizers[group], batches[group](step), teachers, settings, rates, step)
            if is_kept:
                tensors.update(state_of(network, optimizers[group], f"{step}.after"))
                losses[step] = result
    return tensors, losses


def state_of(network, optimizer, prefix):
    """Copies of the params and of Adam's two moments."""
    tensors = {}
    for name, weight in network.weights.items():
        memory = optimizer.state.get(weight, {})  # Empty before the first step.
        tensors[f"{prefix}.params.{name}"] = weight.detach().clone()
        tensors[f"{prefix}.optState.m.{name}"] = memory.get("exp_avg", torch.zeros_like(weight)).clone()
        tensors[f"{prefix}.optState.v.{name}"] = memory.get("exp_avg_sq", torch.zeros_like(weight)).clone()
    return tensors


def rounded(value):
    """Nine digits hold a float32 without loss."""
    return float(f"{float(value):.9g}")


def norms(arrays):
    """Of each array; missing values count as 0."""
    return {name: rounded(np.linalg.norm(np.nan_to_num(array).astype(np.float64))) for name, array in arrays.items()}


def main():
    cases = read_cases()
    settings = cases["settings"]
    inputs = {run: decode_safetensors(base64.b64decode(cases[run])) for run in ("curves", "steps")}
    results = {"settings": settings, "inputs": {run: norms(arrays) for run, arrays in inputs.items()}}
    files = {}
    for name in settings["curves"]["optimizers"]:
        curves, networks = codistill(settings["curves"], inputs["curves"], name)
        results.update({f"{name} {group}": of_group for group, of_group in enumerate(curves)})
        final = [(f"{group}.{path}", w) for group, net in enumerate(networks) for path, w in net.weights.items()]
        results[f"{name} norms"] = norms({path: weight.detach().numpy() for path, weight in final})
        files[name] = dict(final)
    for generation, (curve, of_params) in enumerate(zip(*generations(settings["curves"], inputs["curves"]))):
        results.update({f"generation {generation}": curve, f"generation {generation} norms": of_params})
    results["gram"], results["gram norms"] = gram_run(settings["curves"], inputs["curves"])
    files["steps"], losses = single_steps(settings["steps"], inputs["steps"])
    results.update({f"step {step}": of_step for step, of_step in losses.items()})
    for name, tensors in files.items():
        (Path(sys.argv[2]).parent / f"twin-{name}.safetensors").write_bytes(encode_safetensors(tensors))
    write_results("twin.py", results)


if __name__ == "__main__":
    main()
