/**
 * What teachers that do not change cost a step, and where it goes: `npm run bench:fixed-teachers`, about five minutes. One and three
 * of the student's own network that predict in the step, as those of text do, in float32 and in 8 bits; what they predict given with the batch instead, as the
 * cache of a table has it; and one teacher's prediction by itself, without a loss.
 *
 * As in `teacher.ts`, each follows a step without a teacher, and CPU time is compared.
 */
import { fileURLToPath } from "node:url";
import { targetsName } from "../src/data/batch.js";
import { carry, initWeights, inputTensors, stateTensors, weightTensors } from "../src/nn/model.js";
import { onnxRuntimeEngine } from "../src/node/ort/onnxruntime.js";
import { table } from "../src/report/format.js";
import { filled, type NamedArrays } from "../src/runtime/array.js";
import { mapValues, named, withPrefix } from "../src/runtime/named.js";
import { rootKey } from "../src/runtime/random.js";
import { engineStudent } from "../src/train/student.js";
import { byThreads, type Cost, costOf, writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";
import { workloads } from "./workloads.js";

const NUM_WARM_UP = 2;
/** Rounds of each network, in which every student takes a step. */
const ROUNDS = { click: 15, flights: 200, lstm: 7, llama: 9 } as const;
type Network = keyof typeof ROUNDS;

interface Figures {
  readonly network: string;
  readonly threads: number;
  readonly alone: Cost;
  /** The medians of each way over a step without a teacher just before. */
  readonly ways: Readonly<Record<string, { readonly cpuRatio: number; readonly wallRatio: number }>>;
}

async function measure(network: Network, threads: number): Promise<Figures> {
  const { learner, batch } = workloads[network]();
  const { model } = learner;
  const engines: ReturnType<typeof onnxRuntimeEngine>[] = [];
  const opened = () => {
    const engine = onnxRuntimeEngine({ threads });
    engines.push(engine);
    return engine;
  };
  const stepOf = async (numTeachers: number, precision?: "int8") => {
    const own = Array.from({ length: numTeachers }, (_, i) => initWeights(model, rootKey(2 + i)));
    const fixedTeachers = { weight: 0.5, precision, networks: own.map(() => ({ model, share: 1 })) };
    const taught = numTeachers > 0 ? { learner: { ...learner, fixedTeachers }, fixedWeights: own } : { learner };
    const student = engineStudent({ engine: opened(), ...taught });
    await student.init(rootKey(1));
    return () => student.learn([batch], [], 0);
  };
  /** Given targets, of tables alone: those of a text are a probability for each of the vocabulary, for each token. */
  const ofGiven = async () => {
    const student = engineStudent({ engine: opened(), learner: { ...learner, fixedTeachers: { weight: 0.5 } } });
    await student.init(rootKey(1));
    const given: NamedArrays = { ...batch, [targetsName]: named(batch, "labels") };
    return () => student.learn([given], [], 0);
  };
  const forward = async () => {
    const engine = opened();
    const state = mapValues(model.state ?? {}, ({ shape, fill }) => filled(shape as readonly number[], fill));
    await engine.write({ ...withPrefix("teacher", initWeights(model, rootKey(2))), ...withPrefix("before", state) });
    const weights = { ...weightTensors(model, "teacher"), ...stateTensors(model, "before") };
    const { logits } = carry(model, weights, inputTensors(model));
    const program = await engine.compile({ outputs: { probs: learner.objective.probs(logits) }, updates: {} });
    const feeds = Object.fromEntries(Object.keys(model.inputs).map((name) => [name, named(batch, name)]));
    return () => program.run(feeds);
  };
  const isText = network === "lstm" || network === "llama";
  const alone = await stepOf(0);
  const ways = {
    "1 in the step": await stepOf(1),
    "3 in the step": await stepOf(3),
    "1 in int8": await stepOf(1, "int8"),
    "3 in int8": await stepOf(3, "int8"),
    "its prediction alone": await forward(),
    ...(!isText && { given: await ofGiven() }),
  };
  const pairs = mapValues(ways, (): [Cost, Cost][] => []);
  for (let round = -NUM_WARM_UP; round < ROUNDS[network]; round++) {
    for (const [way, take] of Object.entries(ways)) {
      const pair: [Cost, Cost] = [await costOf<unknown>(alone), await costOf<unknown>(take)];
      if (round >= 0) pairs[way]?.push(pair);
    }
  }
  for (const engine of engines) await engine.close();
  const all = Object.values(pairs).flatMap((own) => own.map(([one]) => one));
  return {
    ...{ network, threads },
    alone: { cpuMs: median(all.map(({ cpuMs }) => cpuMs)), wallMs: median(all.map(({ wallMs }) => wallMs)) },
    ways: mapValues(pairs, (own) => ({
      cpuRatio: median(own.map(([without, withOne]) => withOne.cpuMs / without.cpuMs)),
      wallRatio: median(own.map(([without, withOne]) => withOne.wallMs / without.wallMs)),
    })),
  };
}

const [network, threads] = process.argv.slice(2);
if (process.send && network && threads) {
  process.send(await measure(network as Network, Number(threads)));
} else {
  const machine = thisMachine();
  const results = await byThreads<Figures>(fileURLToPath(import.meta.url), Object.keys(ROUNDS));
  const rows = results.flatMap(({ network: of, threads: count, alone, ways }) =>
    Object.entries(ways).map(([way, { cpuRatio, wallRatio }]) => [
      ...[of, String(count), `${alone.cpuMs.toFixed(1)} ms`, way, cpuRatio.toFixed(2), wallRatio.toFixed(2)],
    ]),
  );
  const head = ["network", "threads", "CPU time of a step", "teachers", "CPU time over it", "time over it"];
  process.stdout.write(`${table([head, ...rows]).join("\n")}\n`);
  await writeFigures("fixed-teachers", machine, results);
}
