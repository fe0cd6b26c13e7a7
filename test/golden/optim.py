"""Trajectories of torch.optim, clipped gradients and learning rates of torch.optim.lr_scheduler in double precision."""

import torch
from golden_file import flat, read_cases, write_results
from torch.optim import lr_scheduler

cases = read_cases()
NUM_STEPS = cases["numSteps"]


def quadratic():
    x = torch.tensor(cases["quadratic"]["start"], dtype=torch.float64).requires_grad_()
    curvature = torch.tensor(cases["quadratic"]["curvature"], dtype=torch.float64)
    centre = torch.tensor(cases["quadratic"]["centre"], dtype=torch.float64)

    def set_grads(_):
        x.grad = None
        (curvature * (x - centre) ** 2 / 2).sum().backward()

    return {"x": x}, set_grads


def prescribed():
    params = {name: torch.tensor(values, dtype=torch.float64) for name, values in cases["prescribed"]["start"].items()}

    def set_grads(step):
        for name, values in cases["prescribed"]["grads"][step].items():
            params[name].grad = torch.tensor(values, dtype=torch.float64)

    return params, set_grads


PROBLEMS = {"quadratic": quadratic, "prescribed": prescribed}
SCHEDULES = {
    "constant": (2e-3, lambda step: 1),
    "linear": (0.1, lambda step: 1 - step / NUM_STEPS),
}


def run(trajectory):
    params, set_grads = PROBLEMS[trajectory["problem"]]()
    learning_rate, factor = SCHEDULES[trajectory["schedule"]]
    make = getattr(torch.optim, trajectory["torch"]["name"])
    optimizer = make(params.values(), lr=learning_rate, **trajectory["torch"]["options"])
    schedule = lr_scheduler.LambdaLR(optimizer, factor)
    samples = []
    for step in range(NUM_STEPS):
        set_grads(step)
        optimizer.step()
        schedule.step()
        if (step + 1) % cases["sampleEvery"] == 0:
            samples.append({name: flat(param) for name, param in params.items()})
    return samples


def clipped(clip, bound):
    params, set_grads = prescribed()
    set_grads(0)
    clip(params.values(), bound)
    return [{name: flat(param.grad) for name, param in params.items()}]


def learning_rates(expression):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1)
    schedule = eval(expression, {**vars(lr_scheduler), "optimizer": optimizer})  # One of our own golden cases.
    rates = []
    for _ in range(cases["scheduleSteps"]):
        rates.append(float(f"{optimizer.param_groups[0]['lr']:.13g}"))
        optimizer.step()
        if len(rates) < cases["scheduleSteps"]:
            schedule.step()
    return [{"learningRate": rates}]


results = {trajectory["name"]: run(trajectory) for trajectory in cases["trajectories"]}
for bound in cases["clips"]["norm"]:
    results[f"clip norm {bound}"] = clipped(torch.nn.utils.clip_grad_norm_, bound)
for bound in cases["clips"]["value"]:
    results[f"clip value {bound}"] = clipped(torch.nn.utils.clip_grad_value_, bound)
results.update({expression: learning_rates(expression) for expression in cases["schedules"]})
write_results("optim.py", results)
