/** ONNX Runtime's official package with its telemetry off; every other module imports it from here. */
import "./telemetry.js";
import { env } from "onnxruntime-node";

// A process has one log of ONNX Runtime, whose level is that of whoever needs it first; its warnings are not for users.
env.logLevel = "error";

export { InferenceSession, Tensor } from "onnxruntime-node";
