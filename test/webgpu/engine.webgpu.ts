/** What every engine must do, on WebGPU. */
import { onnxRuntimeEngine } from "../../src/node/ort/onnxruntime.js";
import { threadedEngine } from "../../src/node/ort/threaded-engine.js";
import { engineSuite } from "../suites/engine.suite.js";

engineSuite("the engine on WebGPU", () => onnxRuntimeEngine({ threads: 1, device: "webgpu" }));
engineSuite("the engine on a thread, on WebGPU", () => threadedEngine({ threads: 1, device: "webgpu" }));
