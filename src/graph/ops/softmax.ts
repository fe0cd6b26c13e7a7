import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { node, part, type Tensor } from "../tensor.js";
import { lastAxis, requireDtype, sameShape } from "./checks.js";

/** e^x over its sum along the last axis, without overflow. */
export function softmax(x: Tensor): Tensor {
  requireDtype("softmax", x, "float32");
  lastAxis("softmax", x);
  return node("softmax", [x], {}, x.shape, "float32");
}

/** log softmax(x) along the last axis, without overflow and without log 0. */
export function logSoftmax(x: Tensor): Tensor {
  requireDtype("logSoftmax", x, "float32");
  lastAxis("logSoftmax", x);
  return node("logSoftmax", [x], {}, x.shape, "float32");
}

/**
 * The log probability of one class a row: of `logits` [...rows, classes], log softmax at int32 `classes` [...rows].
 * `all` is {@link logSoftmax} itself. The gradient takes the probabilities and changes one number in each row, so no
 * one-hot tensor is made.
 */
export function logSoftmaxAt(logits: Tensor, classes: Tensor): { readonly at: Tensor; readonly all: Tensor } {
  requireDtype("logSoftmaxAt", logits, "float32");
  requireDtype("logSoftmaxAt", classes, "int32");
  const axis = lastAxis("logSoftmaxAt", logits);
  if (!sameShape(logits.shape.slice(0, axis), classes.shape)) {
    throw new ShapeError(
      `logSoftmaxAt: needs one class a row, got classes ${formatShape(classes.shape)} for logits ${formatShape(logits.shape)}`,
    );
  }
  const all = { shape: logits.shape, dtype: "float32" } as const;
  const at = node("logSoftmaxAt", [logits, classes], {}, classes.shape, "float32", [all]);
  return { at, all: part(at, 1) };
}
