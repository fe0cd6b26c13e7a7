"""The binary losses in double precision by PyTorch."""

import torch
import torch.nn.functional as F
from golden_file import flat, read_cases, write_results


def evaluate(case):
    logits = torch.tensor(case["logits"], dtype=torch.float64).requires_grad_()
    targets = torch.tensor(case["targets"], dtype=torch.float64)
    loss = F.binary_cross_entropy_with_logits(logits, targets)
    loss.backward()
    entropy = (torch.special.entr(targets) + torch.special.entr(1 - targets)).mean()
    return {
        "loss": flat(loss)[0],
        "gradient": flat(logits.grad),
        "probs": flat(torch.sigmoid(logits)),
        "entropy": flat(entropy)[0],
    }


write_results("losses.py", {name: evaluate(case) for name, case in read_cases().items()})
