"""Three steps of SGD with momentum through each network of `blocks_torch.py` and `cells_torch.py`, in double precision.

Those modules say what the networks are and how params are named and laid out; `blocks.ts` draws params and batches. A step
is v <- momentum v + g, param <- param - learningRate v, with v = 0 at first. A result is the loss of each step before its
update, and after the last step all params, and what is kept beside them (running statistics, states); all flat.
"""

import torch
from blocks_torch import layer_norm_lstm, residual, separable, transformer
from cells_torch import elman, elman_relu, gru, gru_reset_before, lstm
from golden_file import flat, read_cases, write_results

DTYPES = {"float32": torch.float64, "int32": torch.int64}


def tensors(arrays):
    return {
        name: torch.tensor(array["data"], dtype=DTYPES[array["dtype"]]).reshape(array["shape"])
        for name, array in arrays.items()
    }


MODELS = {
    "layerNormLstm": lambda case: layer_norm_lstm,
    "lstm": lambda case: lstm,
    "gru": lambda case: gru,
    "gruResetBefore": lambda case: gru_reset_before,
    "elman": lambda case: elman,
    "elmanRelu": lambda case: elman_relu,
    "transformer": lambda case: lambda *inputs: transformer(*inputs, case["numHeads"]),
    "residual": lambda case: residual,
    "separable": lambda case: separable,
}


def train(name, case, learning_rate, momentum):
    model = MODELS[name](case)
    params, kept = tensors(case["params"]), tensors(case["kept"])
    optimizer = torch.optim.SGD([p.requires_grad_() for p in params.values()], lr=learning_rate, momentum=momentum)
    losses = []
    for batch in case["batches"]:
        optimizer.zero_grad()
        loss, kept = model(params, kept, tensors(batch))
        loss.backward()
        optimizer.step()
        losses += flat(loss)
    all_flat = lambda named: {path: flat(tensor) for path, tensor in named.items()}
    return {"losses": losses, "params": all_flat(params), "kept": all_flat(kept)}


cases = read_cases()
rates = cases["learningRate"], cases["momentum"]
write_results("blocks.py", {name: train(name, case, *rates) for name, case in cases["blocks"].items()})
