/** ONNX Runtime's official package with its telemetry off; every other module imports it from here. */
import "./telemetry.js";

export { InferenceSession, Tensor } from "onnxruntime-node";
