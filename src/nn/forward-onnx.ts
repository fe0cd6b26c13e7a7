/** A model's forward graph as bytes; apart from `model.ts`, which can so be loaded without the ONNX encoder. */
import { toOnnx } from "../graph/onnx.js";
import { inputTensors, type Model, stateTensors, weightTensors } from "./model.js";

/** The forward graph as ONNX: equal bytes mean that two models compute the same function of their weights. */
export function forwardOnnx(model: Model): Uint8Array {
  const logits = model.apply(
    { ...weightTensors(model, "params"), ...stateTensors(model, "state") },
    inputTensors(model),
  );
  return toOnnx({ outputs: { logits }, updates: {} });
}
