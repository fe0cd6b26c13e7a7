/**
 * From a CSV of 100,000 flights to a served model by one command, and the size and the latency of that model in plain ONNX
 * Runtime: `npm run bench:served`, about a minute.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { literal } from "../src/data/sql.js";
import { InferenceSession, Tensor } from "../src/node/ort/library.js";
import { runFolder } from "../src/node/runs/run-folder.js";
import { openDuckdb, type ValueColumns } from "../src/node/sources/duckdb.js";
import { bytes, count, duration, table } from "../src/report/format.js";
import { trainByCommand } from "../studies/command.js";
import { writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const FLIGHTS = fileURLToPath(new URL("../data/flights-3m.parquet", import.meta.resolve("vega-datasets")));
const NUM_ROWS = 100_000;
const LABEL = "delay >= 15";
/** Calls of the model, and rows of each. */
const CALLS = { 1: 500, 1000: 100 } as const;

const machine = thisMachine();
const work = mkdtempSync(join(tmpdir(), "codistill-served-"));
try {
  const csv = join(work, "flights.csv");
  const db = await openDuckdb(join(work, "spill"), { reads: [FLIGHTS], writes: [csv] });
  await db.run(`copy (select * from read_parquet(${literal(FLIGHTS)}) using sample reservoir(${NUM_ROWS} rows)
    repeatable (1)) to ${literal(csv)} (format csv, header)`);
  await db.close();
  const runs = join(work, "runs");
  const { seconds, peakBytes, result } = await trainByCommand(["--data", csv, "--label", LABEL], work, runs);
  const shipped = result.groups[result.shippedGroup];
  const model = runFolder(join(runs, readdirSync(runs)[0] as string)).model.onnx;
  const session = await InferenceSession.create(model);
  const latency: Record<string, number> = {};
  for (const [rows, calls] of Object.entries(CALLS)) {
    const feeds = await feedsOf(session, csv, Number(rows));
    const times: number[] = [];
    for (let call = -5; call < calls; call++) {
      const started = performance.now();
      await session.run(feeds);
      if (call >= 0) times.push(performance.now() - started);
    }
    latency[rows] = median(times);
  }
  const modelBytes = statSync(model).size;
  const lines = [
    ["from the CSV to the model, the whole command", duration(seconds)],
    ["memory of all its processes", bytes(peakBytes)],
    ["test log loss, of rows that took no part", shipped?.testLoss.toFixed(4) ?? ""],
    ["test AUC", shipped?.testAuc?.toFixed(4) ?? ""],
    ["size of model.onnx", bytes(modelBytes)],
    ...Object.entries(latency).map(([rows, ms]) => [`a call with ${count(Number(rows))} rows`, `${ms.toFixed(2)} ms`]),
  ];
  process.stdout.write(`${count(NUM_ROWS)} flights, "${LABEL}"\n${table(lines).join("\n")}\n`);
  await writeFigures("served", machine, [{ seconds, peakBytes, modelBytes, latency, shipped }]);
} finally {
  rmSync(work, { recursive: true });
}

/** The first rows of a file, as the model's inputs. */
async function feedsOf({ inputMetadata }: InferenceSession, csv: string, numRows: number) {
  const names = inputMetadata.map(({ name }) => name);
  const types = inputMetadata.map((input) => (input.isTensor && input.type === "string" ? "text" : "number"));
  const sql = names.map((name, i) => (types[i] === "text" ? `"${name}"::text` : asNumber(name))).join(", ");
  const db = await openDuckdb(join(work, "spill"), { reads: [resolve(csv)] });
  try {
    const parts: ValueColumns[] = [];
    for await (const part of db.columns(`select ${sql} from read_csv(${literal(csv)}) limit ${numRows}`, types))
      parts.push(part);
    return Object.fromEntries(
      names.map((name, i) => {
        const values = parts.flatMap((part) => [
          ...(part[i] as ArrayLike<string | number> & Iterable<string | number>),
        ]);
        const data = types[i] === "text" ? values.map(String) : Float64Array.from(values, Number);
        return [name, new Tensor(data as Float64Array, [values.length])];
      }),
    );
  } finally {
    await db.close();
  }
}

/** Times are milliseconds since 1970. */
function asNumber(name: string): string {
  return name === "date" ? `epoch_ms("date")::double` : `"${name}"::double`;
}
