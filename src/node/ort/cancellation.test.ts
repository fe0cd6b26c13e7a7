import { cancellationSuite } from "../../../test/suites/cancellation.suite.js";
import { onnxRuntimeEngine } from "./onnxruntime.js";
import { threadedEngine } from "./threaded-engine.js";

for (const binding of ["native", "official"] as const) {
  const options = { threads: 2, binding };
  cancellationSuite(`the engine, ${binding}`, () => onnxRuntimeEngine(options), false);
  cancellationSuite(`the engine on a thread, ${binding}`, () => threadedEngine(options), binding === "native");
}
