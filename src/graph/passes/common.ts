import { bytesOf, type NdArray } from "../../runtime/array.js";
import { logSoftmax, pick } from "../ops.js";
import { isOp, type ScanBody, type Tensor } from "../tensor.js";
import { traits } from "../traits.js";
import { allTensors, type Pass, rootsOfBody, tensorsOfBody } from "./walk.js";

/** Constants of more bytes are compared byte by byte, and not by a key. */
const MOST_KEY_BYTES = 256;

/**
 * Equal operations on equal inputs are computed once, random ones too, because they are functions of their key. An
 * input equals only itself. Loops are equal when their steps are, because the inputs of a step are named by their
 * place. The same operation on the same numbers gives the same bits, so no result changes.
 */
export const common: Pass = (graph) => {
  const normalised = new Set(allTensors(graph).flatMap((one) => (isOp(one, "logSoftmax") ? one.inputs : [])));
  const known = new Map<string, Tensor>();
  const large: NdArray[] = [];
  const ids = new Map<object, number>();
  const idOf = (thing: object): string => {
    const id = ids.get(thing) ?? ids.size;
    ids.set(thing, id);
    return `%${id}`;
  };

  const keyOfConstant = (value: NdArray): string => {
    const { dtype, shape, data } = value;
    if (data.byteLength <= MOST_KEY_BYTES) return `${dtype}${shape}:${bytesOf(data)}`;
    const equal = large.find((other) => areEqual(other, value));
    if (!equal) large.push(value);
    return idOf(equal ?? value);
  };

  const keyOf = (tensor: Tensor, nameOf: (tensor: Tensor) => string): string => {
    if (isOp(tensor, "input")) return nameOf(tensor);
    if (isOp(tensor, "constant")) return keyOfConstant(tensor.attributes.value);
    const inputs = tensor.inputs.map(nameOf);
    const operands = (traits[tensor.op].isCommutative ? inputs.sort() : inputs).join();
    const what = isOp(tensor, "scan")
      ? `${tensor.attributes.reverse}${keyOfStep(tensor.attributes.body, nameOf)}`
      : textOf(tensor.attributes);
    // Operands and attributes do not determine every shape: random numbers may be of any.
    return `${tensor.op}(${operands})${what}[${tensor.shape}]`;
  };

  /** A step as text: its own tensors are named by their place in it. */
  const keyOfStep = (body: ScanBody, nameOf: (tensor: Tensor) => string): string => {
    const places = new Map<Tensor, string>();
    const call = (tensor: Tensor) => places.set(tensor, `#${body.states.length}.${places.size}`);
    const nameWithin = (tensor: Tensor) => places.get(tensor) ?? nameOf(tensor);
    [...body.states, ...body.elements].forEach(call);
    const own = tensorsOfBody(body).filter((tensor) => !places.has(tensor));
    const steps = own.map((tensor) => {
      const key = keyOf(tensor, nameWithin);
      call(tensor);
      return key;
    });
    return `{${[...steps, ...rootsOfBody(body).map(nameWithin)].join(";")}}`;
  };

  const firstOf = (tensor: Tensor): Tensor => {
    if (isOp(tensor, "input")) return tensor;
    const key = keyOf(tensor, idOf);
    const first = known.get(key);
    if (!first) known.set(key, tensor);
    return first ?? tensor;
  };

  return (tensor, before) => {
    if (!isOp(tensor, "logSoftmaxAt") || !normalised.has(before.inputs[0] as Tensor)) return firstOf(tensor);
    // This operation computes the logarithms of all classes by the same kernel as logSoftmax, so both can share them.
    const [logits, classes] = tensor.inputs as [Tensor, Tensor];
    const all = firstOf(logSoftmax(logits));
    return new Map([
      [0, pick(all, classes)],
      [1, all],
    ]);
  };
};

function areEqual(a: NdArray, b: NdArray): boolean {
  if (a === b) return true;
  if (a.dtype !== b.dtype || `${a.shape}` !== `${b.shape}`) return false;
  const [x, y] = [bytesOf(a.data), bytesOf(b.data)];
  return x.every((byte, i) => byte === y[i]);
}

/** Attributes as text; JSON would turn -0 into 0, and numbers that are not finite into null. */
function textOf(value: unknown): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) return `[${value.map(textOf)}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, part]) => `${name}:${textOf(part)}`)}}`;
}
