"""Trajectories of torch.optim.SGD and torch.optim.Adam in double precision."""

import torch
from golden_file import flat, read_cases, write_results

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
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
SCHEDULES = {
    "constant": (2e-3, lambda step: 1),
    "linear": (0.1, lambda step: 1 - step / NUM_STEPS),
}


def run(trajectory):
    params, set_grads = PROBLEMS[trajectory["problem"]]()
    learning_rate, factor = SCHEDULES[trajectory["schedule"]]
    optimizer = OPTIMIZERS[trajectory["optimizer"]](params.values(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    samples = []
    for step in range(NUM_STEPS):
        set_grads(step)
        optimizer.step()
        schedule.step()
        if (step + 1) % cases["sampleEvery"] == 0:
            samples.append({name: flat(param) for name, param in params.items()})
    return samples


write_results("optim.py", {trajectory["name"]: run(trajectory) for trajectory in cases["trajectories"]})
