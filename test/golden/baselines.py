"""PyTorch twins of what codistillation is compared with: DiLoCo and deep mutual learning, from the inputs of the twin run."""
import base64

import torch
import torch.nn.functional as F
from golden_file import read_cases, write_results
from twin import decode_safetensors, make_groups, make_optimizer, norms, rounded


def rate_at(settings, name, step):
    start, end = settings["optimizers"][name]
    return start + (end - start) * step / settings["numSteps"]


def gradient_norm(network):
    return torch.sqrt(sum((weight.grad.double() ** 2).sum() for weight in network.weights.values()))


def diloco(settings, inputs, options):
    """Each worker's optimizer moves its own copy; torch.optim.SGD with Nesterov's momentum moves what they share.

    The gradient of the outer optimizer is the shared params less the mean of the workers' (Douillard et al. 2023,
    Algorithm 1). The first and only exchange after the last step is that of a whole round or what is left of one.
    """
    name = options["optimizer"]
    groups, batches = make_groups(settings, inputs)
    shared = groups[0]
    workers = [shared.copy() for _ in groups]
    inner = [make_optimizer(name, list(worker.weights.values())) for worker in workers]
    outer = torch.optim.SGD(list(shared.weights.values()), lr=options["outerLearningRate"],
                            momentum=options["outerMomentum"], nesterov=True)
    curve = {"labelLoss": [], "gradNorm": []}
    for step in range(settings["numSteps"]):
        losses, grad_norms = [], []
        for worker, optimizer, batch_at in zip(workers, inner, batches):
            optimizer.param_groups[0]["lr"] = rate_at(settings, name, step)
            batch = batch_at(step)
            loss = F.binary_cross_entropy_with_logits(worker(batch), batch["labels"])
            optimizer.zero_grad(set_to_none=False)
            loss.backward()
            losses.append(float(loss.detach()))
            grad_norms.append(float(gradient_norm(worker)))
            optimizer.step()
        curve["labelLoss"].append(rounded(sum(losses) / len(losses)))
        curve["gradNorm"].append(rounded(sum(grad_norms) / len(grad_norms)))
        if (step + 1) % options["localSteps"] == 0 or step + 1 == settings["numSteps"]:
            with torch.no_grad():
                for path, weight in shared.weights.items():
                    mean = torch.stack([worker.weights[path] for worker in workers]).mean(dim=0)
                    weight.grad = weight - mean
            outer.step()
            with torch.no_grad():
                for worker in workers:
                    for path, weight in worker.weights.items():
                        weight.copy_(shared.weights[path])
    return curve, norms({path: weight.detach().numpy() for path, weight in shared.weights.items()})


def mutual(settings, inputs, options):
    """Both students predict, then both move: label loss plus weight times KL(the other's prediction || one's own)."""
    name = options["optimizer"]
    students, batches = make_groups(settings, inputs)
    optimizers = [make_optimizer(name, list(student.weights.values())) for student in students]
    curve = {"labelLoss": [], "divergence": [], "gradNorm": []}
    for step in range(settings["numSteps"]):
        batch = batches[0](step)
        logits = [student(batch) for student in students]
        said = []
        for k, optimizer in enumerate(optimizers):
            optimizer.param_groups[0]["lr"] = rate_at(settings, name, step)
            label_loss = F.binary_cross_entropy_with_logits(logits[k], batch["labels"])
            own, other = (torch.stack([F.logsigmoid(z), F.logsigmoid(-z)]) for z in (logits[k], logits[1 - k].detach()))
            divergence = (other.exp() * (other - own)).sum(dim=0).mean()
            said.append((label_loss, divergence))
        for (label_loss, divergence), optimizer in zip(said, optimizers):
            optimizer.zero_grad(set_to_none=False)
            (label_loss + options["distillWeight"] * divergence).backward()
        for name_of, value in zip(("labelLoss", "divergence"), said[0]):
            curve[name_of].append(rounded(value))
        curve["gradNorm"].append(rounded(gradient_norm(students[0])))
        for optimizer in optimizers:
            optimizer.step()
    final = {f"{k}.{path}": w.detach().numpy() for k, student in enumerate(students) for path, w in student.weights.items()}
    return curve, norms(final)


def main():
    cases = read_cases()
    settings, options = cases["run"], cases["baselines"]
    inputs = decode_safetensors(base64.b64decode(cases["curves"]))
    results = {"settings": {**options, "run": settings}}
    for what, run in (("diloco", diloco), ("mutual", mutual)):
        curve, of_params = run(settings, inputs, options[what])
        results.update({what: curve, f"{what} norms": of_params})
    write_results("baselines.py", results)


main()
