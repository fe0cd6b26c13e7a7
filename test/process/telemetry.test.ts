/** Nothing of ours tells anybody what is trained here. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { workplace } from "./fixture.js";

const place = workplace();

for (const binding of ["native", "official"]) {
  test(`${binding}: training and predicting leave no trace of ONNX Runtime's telemetry, and no id of the machine`, async () => {
    const [home, temporary] = [place.path(binding), place.path(`${binding}-temporary`)];
    for (const folder of [home, temporary]) mkdirSync(folder);
    const env = {
      ...{ HOME: home, XDG_CACHE_HOME: "", TMPDIR: temporary, CODISTILL_BINDING: binding },
      // Each of them would turn it off.
      ...{ CI: "", ORT_DISABLE_TELEMETRY: "" },
    };
    const run = place.train([await place.config(`${binding}.json`), "--set", "numSteps=60", "--set", "numGroups=1"], {
      env,
    });
    assert.equal((await run.ended).code, 0, run.output());
    const predict = place.codistill(["predict", (await run.folder()).model.onnx, place.path("rows.csv")], { env });
    assert.equal((await predict.ended).code, 0, predict.output());
    const left = [home, temporary].flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }));
    assert.deepEqual(
      left.filter((file) => /microsoft|onnxruntime|mat-debug|\.ses$/i.test(file)),
      [],
      run.output(),
    );
  });
}
