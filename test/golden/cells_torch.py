"""Recurrent networks by PyTorch's own layers, and by a loop where PyTorch has none; for golden values in float64.

Every model is a function of params, what is kept, and a batch, as in `blocks_torch.py`.

lstm, gru, elman, elman_relu: nn.LSTM, nn.GRU, nn.RNN with tanh and with relu. gru_reset_before: a loop.
    params      for each layer l = 0, 1, ... and C columns (LSTM 4 H, GRU 3 H, RNN H):
                layers.l.inputWeight [inputs, C], layers.l.recurrentWeight [H, C], layers.l.bias [C];
                blocks of H columns in the order forget, input, output, candidate (LSTM) and reset, update, candidate (GRU);
                gru also layers.l.candidateBias [H]
    kept        layers.l.hidden, lstm also layers.l.cell [batch, H]: goes from step to step, no gradient goes back through it
    batch       x [time, batch, inputs], target [time, batch, H]
    biases      PyTorch adds two for each gate. The second is 0 here, but for the candidate of a GRU, where it is
                candidateBias, inside of the product with the reset gate.
    reset       gru_reset_before has n = tanh(x W_n + b_n + (r h) U_n) (Cho et al. 2014, eq. 8)
    loss        mean of (h' of the last layer - target)^2
"""

import torch
import torch.nn.functional as F
from torch import nn

# PyTorch has the gates of an LSTM in the order input, forget, candidate, output.
LSTM_ORDER = [1, 0, 3, 2]
GRU_ORDER = [0, 1, 2]


def in_order(array, order):
    """Its rows of blocks in another order."""
    blocks = array.chunk(len(order))
    return torch.cat([blocks[i] for i in order])


def layer_weights(params, path, order):
    """The weights of a layer as PyTorch has them: of the input, of the hidden state, and the two biases."""
    weights = [in_order(params[f"{path}.{name}"].T, order) for name in ("inputWeight", "recurrentWeight")]
    bias = in_order(params[f"{path}.bias"], order)
    second = torch.zeros_like(bias)
    if f"{path}.candidateBias" in params:
        candidate = params[f"{path}.candidateBias"]
        second = torch.cat([second[: -len(candidate)], candidate])
    return [*weights, bias, second]


def paths_of(params):
    return [f"layers.{layer}" for layer in range(sum(name.endswith(".bias") for name in params))]


def stacked(kept, paths, name):
    return torch.stack([kept[f"{path}.{name}"] for path in paths])


def unstacked(states, paths, name):
    return {f"{path}.{name}": state.detach() for path, state in zip(paths, states)}


def torch_layers(module, params, order, x, state):
    """A recurrent module of PyTorch's, which reads its weights from this list, with ours in it, so that gradients reach them."""
    paths = paths_of(params)
    width, hidden = x.shape[2], params["layers.0.recurrentWeight"].shape[0]
    layers = module(width, hidden, len(paths))
    layers._flat_weights = [weight for path in paths for weight in layer_weights(params, path, order)]
    return layers(x, state)


def lstm(params, kept, batch):
    paths = paths_of(params)
    state = tuple(stacked(kept, paths, name) for name in ("hidden", "cell"))
    outputs, (hidden, cell) = torch_layers(nn.LSTM, params, LSTM_ORDER, batch["x"], state)
    return F.mse_loss(outputs, batch["target"]), {**unstacked(hidden, paths, "hidden"), **unstacked(cell, paths, "cell")}


def hidden_only(module, order):
    def model(params, kept, batch):
        paths = paths_of(params)
        outputs, hidden = torch_layers(module, params, order, batch["x"], stacked(kept, paths, "hidden"))
        return F.mse_loss(outputs, batch["target"]), unstacked(hidden, paths, "hidden")

    return model


gru = hidden_only(nn.GRU, GRU_ORDER)
elman = hidden_only(nn.RNN, [0])
elman_relu = hidden_only(lambda *sizes: nn.RNN(*sizes, nonlinearity="relu"), [0])


def gru_reset_before(params, kept, batch):
    x, after = batch["x"], {}
    for path in paths_of(params):
        hidden, outputs = kept[f"{path}.hidden"], []
        u_reset, u_update, u_candidate = params[f"{path}.recurrentWeight"].chunk(3, dim=1)
        for a_reset, a_update, a_candidate in (
            sums.chunk(3, dim=1) for sums in x @ params[f"{path}.inputWeight"] + params[f"{path}.bias"]
        ):
            reset = torch.sigmoid(a_reset + hidden @ u_reset)
            update = torch.sigmoid(a_update + hidden @ u_update)
            candidate = torch.tanh(a_candidate + (reset * hidden) @ u_candidate)
            hidden = update * hidden + (1 - update) * candidate
            outputs.append(hidden)
        x, after[f"{path}.hidden"] = torch.stack(outputs), hidden.detach()
    return F.mse_loss(x, batch["target"]), after
