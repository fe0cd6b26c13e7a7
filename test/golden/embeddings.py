"""Hashed embeddings, values and gradients, in double precision by PyTorch: weighted bags of the rows that it is given."""

import torch
import torch.nn.functional as F
from golden_file import flat, read_cases, write_results


def embedded(case):
    table = torch.tensor(case["table"], dtype=torch.float64).reshape(-1, case["width"]).requires_grad_()
    rows = torch.tensor(case["rows"]).T.contiguous()  # [ids, hashes]
    params = {"e.table": table}
    factors = None
    if "signs" in case:
        factors = torch.tensor(case["signs"], dtype=torch.float64).T.contiguous()
    if "weights" in case:
        params["e.weights"] = torch.tensor(case["weights"], dtype=torch.float64).reshape(-1, rows.shape[1]).requires_grad_()
        factors = F.embedding(torch.tensor(case["weightRows"]), params["e.weights"])
    output = F.embedding_bag(rows, table, mode="sum", per_sample_weights=factors)
    (output * torch.tensor(case["cotangent"], dtype=torch.float64).reshape(output.shape)).sum().backward()
    return {"output": flat(output), "gradients": {name: flat(param.grad) for name, param in params.items()}}


write_results("embeddings.py", {name: embedded(case) for name, case in read_cases().items()})
