"""Networks by PyTorch, written from their definitions: for golden values in float64 and for measurements in float32.

Every model is a function of params by name, what it keeps between steps by name, and a batch; it gives the loss, and what
it keeps from now on. Linear weights are [inputs, outputs], convolution weights [outputs, inputs / groups, height, width].
Layer and batch normalisation divide by sqrt(biased variance + 1e-5); every gain and bias of theirs is given by name.

layer_norm_lstm: a language model of LayerNorm-LSTM layers (Ba, Kiros and Hinton 2016, eq. 20 to 22).
    params      embedding [vocabulary, width], and for each layer l = 0, 1, ...
                layers.l.inputWeight [inputs, 4 H], layers.l.recurrentWeight [H, 4 H],
                layers.l.{inputNorm,recurrentNorm}.{gain,bias} [4 H], layers.l.cellNorm.{gain,bias} [H],
                output.weight [H, vocabulary], output.bias [vocabulary]
    kept        layers.l.{hidden,cell} [batch, H]: the state goes from step to step, no gradient goes back through it
    batch       ids, labels [time, batch]
    a layer     (f, i, o, g) = LN(h U; recurrentNorm) + LN(x W; inputNorm), four parts of H columns in this order;
                c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(LN(c'; cellNorm)).
                LN is over all 4 H columns at once. The b of eq. 20 is left out: the biases of the two norms add up to it.
                The state that is kept is c', not its norm.
    loss        softmax cross-entropy of h' of the last layer through `output`, the mean over time and batch

transformer: one pre-norm block, causal.
    params      norm1.{gain,bias} [D], attention.qkv.weight [D, 3 D], attention.qkv.bias [3 D] (queries, keys, values),
                attention.output.weight [D, D], attention.output.bias [D], norm2.{gain,bias} [D],
                mlp.0.weight [D, 4 D], mlp.0.bias [4 D], mlp.1.weight [4 D, D], mlp.1.bias [D]
    batch       x, target [batch, time, D]
    the block   y = x + attention(LN(x; norm1));  z = y + gelu(LN(y; norm2) mlp.0) mlp.1, gelu exact: x Phi(x).
                Head j has columns j D/heads to (j + 1) D/heads of queries, keys and values; its weights are
                softmax(q k^T / sqrt(D / heads)) over the positions up to its own; heads are joined in order.
    loss        mean of (z - target)^2

residual: y = relu(x + BN(conv(relu(BN(conv(x; conv1); norm1)); conv2); norm2)).
    params      conv1.weight, conv2.weight [C, C, 3, 3] (stride 1, padding 1, no bias),
                norm1.{gain,bias}, norm2.{gain,bias} [C]
    kept        norm1.{mean,variance}, norm2.{mean,variance} [C], the running statistics
                r <- 0.9 r + 0.1 s with the batch's mean and its unbiased variance (n - 1, n of batch, height and width);
                the batch itself is normalised by its own mean and biased variance
    batch       x, target [batch, C, height, width]
    loss        mean of (y - target)^2

separable: y = hardswish(BN(conv(conv(x; depthwise); pointwise); norm)), hardswish x min(max(x + 3, 0), 6) / 6.
    params      depthwise.weight [C, 1, 3, 3] (a filter for each channel, stride 2, padding 1, no bias),
                pointwise.weight [O, C, 1, 1] (no bias), norm.{gain,bias} [O]
    kept        norm.{mean,variance} [O], as above
    batch       x [batch, C, height, width], target [batch, O, (height + 1) // 2, (width + 1) // 2]
    loss        mean of (y - target)^2
"""

import math

import torch
import torch.nn.functional as F

EPSILON = 1e-5
MOMENTUM = 0.1


def affine(params, path, x):
    rows = x.reshape(-1, x.shape[-1])
    return torch.addmm(params[f"{path}.bias"], rows, params[f"{path}.weight"]).reshape(*x.shape[:-1], -1)


def layer_norm(params, path, x):
    return F.layer_norm(x, x.shape[-1:], params[f"{path}.gain"], params[f"{path}.bias"], EPSILON)


def layer_norm_lstm_layer(params, path, x, hidden, cell):
    """x [time, batch, inputs] to all hidden states [time, batch, H], and the last of hidden and cell."""
    # The part of the gates that does not wait for the state, for all time steps at once.
    from_input = layer_norm(params, f"{path}.inputNorm", x @ params[f"{path}.inputWeight"])
    outputs = []
    for gates in from_input:
        gates = gates + layer_norm(params, f"{path}.recurrentNorm", hidden @ params[f"{path}.recurrentWeight"])
        forget, enter, leave, candidate = gates.chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        hidden = torch.sigmoid(leave) * torch.tanh(layer_norm(params, f"{path}.cellNorm", cell))
        outputs.append(hidden)
    return torch.stack(outputs), hidden, cell


def layer_norm_lstm(params, kept, batch):
    x = F.embedding(batch["ids"], params["embedding"])
    after = {}
    for layer in range(len(kept) // 2):
        path = f"layers.{layer}"
        x, hidden, cell = layer_norm_lstm_layer(params, path, x, kept[f"{path}.hidden"], kept[f"{path}.cell"])
        after[f"{path}.hidden"], after[f"{path}.cell"] = hidden.detach(), cell.detach()
    logits = affine(params, "output", x)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch["labels"].reshape(-1)), after


def attention(params, x, num_heads):
    num_examples, length, width = x.shape
    columns = affine(params, "attention.qkv", x).reshape(num_examples, length, 3, num_heads, width // num_heads)
    query, key, value = columns.permute(2, 0, 3, 1, 4)
    scores = query @ key.transpose(2, 3) / math.sqrt(width // num_heads)
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    weights = torch.softmax(scores.masked_fill(later, -math.inf), dim=3)
    joined = (weights @ value).transpose(1, 2).reshape(num_examples, length, width)
    return affine(params, "attention.output", joined)


def transformer(params, kept, batch, num_heads):
    x = batch["x"]
    x = x + attention(params, layer_norm(params, "norm1", x), num_heads)
    x = x + affine(params, "mlp.1", F.gelu(affine(params, "mlp.0", layer_norm(params, "norm2", x))))
    return F.mse_loss(x, batch["target"]), kept


def batch_norm(params, kept, path, x):
    """Writes the new running statistics over the old ones."""
    mean, variance = kept[f"{path}.mean"], kept[f"{path}.variance"]
    return F.batch_norm(x, mean, variance, params[f"{path}.gain"], params[f"{path}.bias"], True, MOMENTUM, EPSILON)


def residual(params, kept, batch):
    x = batch["x"]
    y = torch.relu(batch_norm(params, kept, "norm1", F.conv2d(x, params["conv1.weight"], padding=1)))
    y = batch_norm(params, kept, "norm2", F.conv2d(y, params["conv2.weight"], padding=1))
    return F.mse_loss(torch.relu(x + y), batch["target"]), kept


def separable(params, kept, batch):
    x = F.conv2d(batch["x"], params["depthwise.weight"], stride=2, padding=1, groups=batch["x"].shape[1])
    x = batch_norm(params, kept, "norm", F.conv2d(x, params["pointwise.weight"]))
    return F.mse_loss(F.hardswish(x), batch["target"]), kept


def layer_norm_lstm_shapes(vocabulary, width, hidden, num_layers):
    shapes = {"embedding": [vocabulary, width]}
    for layer in range(num_layers):
        path = f"layers.{layer}"
        shapes[f"{path}.inputWeight"] = [width if layer == 0 else hidden, 4 * hidden]
        shapes[f"{path}.recurrentWeight"] = [hidden, 4 * hidden]
        for norm, size in (("inputNorm", 4 * hidden), ("recurrentNorm", 4 * hidden), ("cellNorm", hidden)):
            shapes.update({f"{path}.{norm}.gain": [size], f"{path}.{norm}.bias": [size]})
    return {**shapes, "output.weight": [hidden, vocabulary], "output.bias": [vocabulary]}


def transformer_shapes(width):
    def linear(path, inputs, outputs):
        return {f"{path}.weight": [inputs, outputs], f"{path}.bias": [outputs]}

    def norm(path):
        return {f"{path}.gain": [width], f"{path}.bias": [width]}

    return {
        **norm("norm1"),
        **linear("attention.qkv", width, 3 * width),
        **linear("attention.output", width, width),
        **norm("norm2"),
        **linear("mlp.0", width, 4 * width),
        **linear("mlp.1", 4 * width, width),
    }


def residual_shapes(channels):
    norms = {f"norm{i}.{name}": [channels] for i in (1, 2) for name in ("gain", "bias")}
    return {"conv1.weight": [channels, channels, 3, 3], "conv2.weight": [channels, channels, 3, 3], **norms}


def running_statistics(path, channels):
    return {f"{path}.mean": torch.zeros(channels), f"{path}.variance": torch.ones(channels)}
