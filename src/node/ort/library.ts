/** ONNX Runtime's official package, for every part that needs it: without what it would tell about those who train. */
import "./telemetry.js";

export { InferenceSession, Tensor } from "onnxruntime-node";
