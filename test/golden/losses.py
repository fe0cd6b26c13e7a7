"""The losses in double precision by PyTorch."""

import torch
import torch.nn.functional as F
from golden_file import flat, read_cases, write_results


def binary(case):
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


def label_loss(logits, labels, classWeights=None, ignoreIndex=-1000, smoothing=None):
    weight = None if classWeights is None else torch.tensor(classWeights, dtype=torch.float64)
    amount = (smoothing or {}).get("amount", 0)
    prior = (smoothing or {}).get("prior")
    if prior is None:
        return F.cross_entropy(logits, labels, weight, ignore_index=ignoreIndex, label_smoothing=amount)
    # PyTorch smooths by a uniform prior only; with another one the labels are given as probabilities.
    assert weight is None and ignoreIndex == -1000
    mixed = (1 - amount) * F.one_hot(labels, logits.shape[-1]) + amount * torch.tensor(prior)
    return F.cross_entropy(logits, mixed)


def kl(p, log_q):
    return F.kl_div(log_q, p, reduction="batchmean")


def distill_loss(name, logits, targets):
    log_p = F.log_softmax(logits, -1)
    p, log_t = log_p.exp(), targets.log()
    middle = (p + targets) / 2
    centred = lambda x: x - x.mean(-1, keepdim=True)
    return {
        "softCrossEntropy": lambda: F.cross_entropy(logits, targets),
        "klTeacherStudent": lambda: kl(targets, log_p),
        "klStudentTeacher": lambda: kl(p, log_t),
        "symmetricKl": lambda: (kl(targets, log_p) + kl(p, log_t)) / 2,
        "jensenShannon": lambda: (kl(targets, middle.log()) + kl(p, middle.log())) / 2,
        "centredLogitSquaredError": lambda: F.mse_loss(centred(logits), centred(log_t)) / 2,
    }[name]()


def rows(case):
    logits = torch.tensor(case["logits"], dtype=torch.float64).requires_grad_()
    matrix = logits.reshape(-1, case["numClasses"])
    targets = torch.tensor(case["targets"], dtype=torch.float64) if "targets" in case else None
    kind = case["kind"]
    if kind == "label":
        loss = label_loss(matrix, torch.tensor(case["labels"]), **case["options"])
    elif kind == "confidencePenalty":
        entropy = torch.distributions.Categorical(logits=matrix).entropy().mean()
        loss = F.cross_entropy(matrix, torch.tensor(case["labels"])) - case["weight"] * entropy
    elif kind == "binaryConfidencePenalty":
        entropy = torch.distributions.Bernoulli(logits=logits).entropy().mean()
        loss = F.binary_cross_entropy_with_logits(logits, targets) - case["weight"] * entropy
    elif kind == "distill":
        loss = distill_loss(case["name"], matrix, targets.reshape(matrix.shape))
    elif kind == "binaryDistill":
        two = torch.stack([torch.zeros_like(logits), logits], -1)
        loss = distill_loss(case["name"], two, torch.stack([1 - targets, targets], -1))
    elif kind == "positiveWeight":
        loss = F.binary_cross_entropy_with_logits(logits, targets, pos_weight=torch.tensor(float(case["weight"])))
    elif kind == "squared":
        loss = F.mse_loss(logits, targets)
    elif kind == "absolute":
        loss = F.l1_loss(logits, targets)
    else:
        loss = F.huber_loss(logits, targets, delta=case["delta"])
    loss.backward()
    return {"loss": flat(loss)[0], "gradient": flat(logits.grad)}


def evaluate(case):
    return rows(case) if "kind" in case else binary(case)


write_results("losses.py", {name: evaluate(case) for name, case in read_cases().items()})
