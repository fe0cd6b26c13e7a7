/**
 * What ONNX Runtime's products with 8-bit and 4-bit weights take on the CPU, against float32, at the sizes of the networks of
 * `specs.ts`: `npm run bench:quantised`, about two minutes.
 *
 * All products of one size run in turn, so that each meets the same machine as the float32 product that it is held against, and
 * CPU time is counted, which other processes change less than the clock. Of each result one row is put out, as the binding copies
 * what is put out.
 */
import { MICROSOFT, onnxNode } from "../src/graph/onnx/builder.js";
import { encodeModel, type NodeProto, type TensorProto } from "../src/graph/onnx-proto.js";
import { InferenceSession, Tensor } from "../src/node/ort/library.js";
import { table } from "../src/report/format.js";
import { bytesOf } from "../src/runtime/array.js";
import { fold, normal, rootKey } from "../src/runtime/random.js";
import { writeFigures } from "./children.js";
import { thisMachine } from "./machine.js";
import { median } from "./statistics.js";

const ROUNDS = 11;
const WARM_UP = 3;
/** `TensorProto.DataType`. */
const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

type Type = keyof typeof TYPES;

interface Value {
  readonly type: Type;
  readonly dims: readonly number[];
  readonly data: Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;
}

/** Nodes that make "y" [rows, outputs] of the inputs; those in `fixed` are constants of the model. */
interface Variant {
  readonly values: Readonly<Record<string, Value>>;
  readonly fixed: readonly string[];
  readonly nodes: readonly NodeProto[];
}

interface Size {
  readonly network: string;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  /** How many products of this size the forward pass has. */
  readonly count: number;
}

const size = (network: string, rows: number, inputs: number, outputs: number, count = 1): Size => ({
  network,
  rows,
  inputs,
  outputs,
  count,
});

const sizes: readonly Size[] = [
  size("click", 256, 1000, 2560),
  size("click", 256, 2560, 1024),
  size("click", 256, 1024, 256),
  size("flights", 2048, 61, 128),
  size("flights", 2048, 128, 64),
  size("lstm", 32, 512, 2048, 64),
  size("lstm", 1024, 256, 2048),
  size("lstm", 1024, 512, 2048),
  size("lstm", 1024, 512, 8192),
  size("transformer", 2048, 256, 768),
  size("transformer", 2048, 256, 256),
  size("transformer", 2048, 256, 1024),
  size("transformer", 2048, 1024, 256),
  size("llama", 1024, 256, 768, 4),
  size("llama", 1024, 256, 256, 4),
  size("llama", 1024, 256, 688, 8),
  size("llama", 1024, 688, 256, 4),
  size("llama", 1024, 256, 4096),
];

const float32 = (data: Float32Array, dims: readonly number[]): Value => ({ type: "float32", dims, data });

/** int8 by column: w is about q s, s = max |w| / most. */
function byColumn(
  w: Float32Array,
  inputs: number,
  outputs: number,
  most = 127,
): { q: Value; scale: Value; zero: Value } {
  const scale = new Float32Array(outputs);
  for (let i = 0; i < w.length; i++) {
    const column = i % outputs;
    scale[column] = Math.max(scale[column] as number, Math.abs(w[i] as number) / most);
  }
  const q = Int8Array.from(w, (value, i) => Math.round(value / (scale[i % outputs] as number)));
  return {
    q: { type: "int8", dims: [inputs, outputs], data: q },
    scale: float32(scale, [outputs]),
    zero: { type: "int8", dims: [outputs], data: new Int8Array(outputs) },
  };
}

/** The same as uint8 with 128 in the place of 0. */
function unsigned({ q, zero }: { q: Value; zero: Value }): { q: Value; zero: Value } {
  const shifted = ({ dims, data }: Value): Value => ({
    type: "uint8",
    dims,
    data: Uint8Array.from(data as Int8Array, (value) => value + 128),
  });
  return { q: shifted(q), zero: shifted(zero) };
}

const BLOCK = 32;

/** Weights of MatMulNBits: by column and blocks of 32 inputs, with the zero point in the middle. */
function byBlocks(w: Float32Array, inputs: number, outputs: number, bits: 4 | 8): { q: Value; scale: Value } {
  const numBlocks = Math.ceil(inputs / BLOCK);
  const blob = (BLOCK * bits) / 8;
  const middle = 2 ** (bits - 1);
  const q = new Uint8Array(outputs * numBlocks * blob);
  const scale = new Float32Array(outputs * numBlocks);
  for (let column = 0; column < outputs; column++) {
    for (let block = 0; block < numBlocks; block++) {
      const values = Array.from({ length: BLOCK }, (_, i) => w[(block * BLOCK + i) * outputs + column] ?? 0);
      const step = Math.max(...values.map(Math.abs)) / (middle - 1) || 1;
      const at = column * numBlocks + block;
      scale[at] = step;
      for (const [i, value] of values.entries()) {
        const code = Math.round(value / step) + middle;
        const place = at * blob + (bits === 8 ? i : i >> 1);
        q[place] = (q[place] as number) | (bits === 4 && i % 2 === 1 ? code << 4 : code);
      }
    }
  }
  return {
    q: { type: "uint8", dims: [outputs, numBlocks, blob], data: q },
    scale: float32(scale, [outputs * numBlocks]),
  };
}

function variantsOf({ rows, inputs, outputs }: Size): Readonly<Record<string, Variant>> {
  const x = float32(normal(fold(rootKey(1), "x"), rows * inputs), [rows, inputs]);
  const drawn = normal(fold(rootKey(1), "w"), inputs * outputs).map((value) => value / Math.sqrt(inputs));
  const w = float32(drawn, [inputs, outputs]);
  const { q, scale, zero } = byColumn(drawn, inputs, outputs);
  const gemm: Variant = { values: { x, w }, fixed: [], nodes: [onnxNode("Gemm", ["x", "w"], ["y"])] };
  const dynamic: Variant = {
    values: { x, q, scale, zero },
    fixed: [],
    nodes: [onnxNode("DynamicQuantizeMatMul", ["x", "q", "scale", "zero"], ["y"], {}, MICROSOFT)],
  };
  const quantise = onnxNode("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]);
  const withWeights = (weights: Readonly<Record<string, Value>>): Variant => ({
    ...dynamic,
    values: { ...dynamic.values, ...weights },
  });
  const integer: Variant = {
    values: { x, q, scale },
    fixed: [],
    nodes: [
      quantise,
      onnxNode("MatMulInteger", ["xq", "q", "xz"], ["sums"]),
      onnxNode("Cast", ["sums"], ["float"], { to: TYPES.float32 }),
      onnxNode("Mul", ["xs", "scale"], ["factor"]),
      onnxNode("Mul", ["float", "factor"], ["y"]),
    ],
  };
  const toFloat: Variant = {
    values: { x, q, scale, zero },
    fixed: [],
    nodes: [
      quantise,
      onnxNode("MatMulIntegerToFloat", ["x", "q", "xs", "scale", "xz", "zero"].with(0, "xq"), ["y"], {}, MICROSOFT),
    ],
  };
  // The scales are those of these very numbers, which a step does not know beforehand.
  const range = (data: Float32Array) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  const one = (value: number): Value => float32(Float32Array.of(value), []);
  const point: Value = { type: "uint8", dims: [], data: Uint8Array.of(128) };
  const linear: Variant = {
    values: { x, q, scale, zero, xs: one(range(x.data as Float32Array)), xz: point, ys: one(5 / 127), yz: point },
    fixed: [],
    nodes: [
      onnxNode("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
      onnxNode("QLinearMatMul", ["xq", "xs", "xz", "q", "scale", "zero", "ys", "yz"], ["yq"]),
      onnxNode("DequantizeLinear", ["yq", "ys", "yz"], ["y"]),
    ],
  };
  const blocked = (bits: 4 | 8): Variant => {
    const { q: blocks, scale: scales } = byBlocks(drawn, inputs, outputs, bits);
    const attributes = { K: inputs, N: outputs, bits, block_size: BLOCK, accuracy_level: 4 };
    return {
      values: { x, q: blocks, scale: scales },
      fixed: [],
      nodes: [onnxNode("MatMulNBits", ["x", "q", "scale"], ["y"], attributes, MICROSOFT)],
    };
  };
  const twice: Variant = {
    values: { x, q, scale },
    fixed: [],
    nodes: [
      quantise,
      onnxNode("MatMulIntegerToFloat", ["xq", "q", "xs", "scale", "xz"], ["first"], {}, MICROSOFT),
      onnxNode("DequantizeLinear", ["xq", "xs", "xz"], ["known"]),
      onnxNode("Sub", ["x", "known"], ["rest"]),
      onnxNode("DynamicQuantizeMatMul", ["rest", "q", "scale"], ["second"], {}, MICROSOFT),
      onnxNode("Add", ["first", "second"], ["y"]),
    ],
  };
  const held = (variant: Variant, ...fixed: string[]): Variant => ({ ...variant, fixed });
  return {
    float32: gemm,
    "float32, constant": held(gemm, "w"),
    DynamicQuantizeMatMul: dynamic,
    "DynamicQuantizeMatMul, constant": held(dynamic, "q", "scale", "zero"),
    "the same, of 7 bits": withWeights(byColumn(drawn, inputs, outputs, 64)),
    "the same, in two pieces": twice,
    "the same, unsigned": withWeights(unsigned({ q, zero })),
    MatMulIntegerToFloat: toFloat,
    MatMulInteger: integer,
    QLinearMatMul: linear,
    "QLinearMatMul, constant": held(linear, "q", "scale", "zero", "xs", "xz", "ys", "yz"),
    "MatMulNBits 8": blocked(8),
    "MatMulNBits 8, constant": held(blocked(8), "q", "scale"),
    "MatMulNBits 4": blocked(4),
    "MatMulNBits 4, constant": held(blocked(4), "q", "scale"),
  };
}

const valueType = ({ type, dims }: Pick<Value, "type" | "dims">) => ({
  tensorType: { elemType: TYPES[type], shape: { dim: dims.map((dimValue) => ({ dimValue })) } },
});

function modelOf({ values, fixed, nodes }: Variant, outputs: number): Uint8Array {
  const tensor = (name: string, { type, dims, data }: Value): TensorProto => ({
    name,
    dims,
    dataType: TYPES[type],
    rawData: bytesOf(data),
  });
  const int64 = (name: string, value: number) =>
    tensor(name, { type: "int64", dims: [1], data: BigInt64Array.of(BigInt(value)) });
  const entries = Object.entries(values);
  return encodeModel({
    irVersion: 8,
    producerName: "codistill",
    opsetImport: [
      { domain: "", version: 18 },
      { domain: MICROSOFT, version: 1 },
    ],
    metadataProps: [],
    graph: {
      name: "product",
      node: [...nodes, onnxNode("Slice", ["y", "start", "end", "axis"], ["row"])],
      initializer: [
        ...entries.filter(([name]) => fixed.includes(name)).map(([name, value]) => tensor(name, value)),
        int64("start", 0),
        int64("end", 1),
        int64("axis", 0),
      ],
      input: entries
        .filter(([name]) => !fixed.includes(name))
        .map(([name, value]) => ({ name, type: valueType(value) })),
      output: [{ name: "row", type: valueType({ type: "float32", dims: [1, outputs] }) }],
    },
  });
}

/** Gives the row of the result. Throws what the session throws: some of these products demand constants. */
async function sessionOf(variant: Variant, outputs: number, threads: number) {
  const session = await InferenceSession.create(modelOf(variant, outputs), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "basic",
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: "0" }, set_denormal_as_zero: "1" } },
  });
  const feeds = Object.entries(variant.values)
    .filter(([name]) => !variant.fixed.includes(name))
    .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as Float32Array, dims)] as const);
  const run = async () => {
    const { row } = await session.run(Object.fromEntries(feeds));
    return row?.data as Float32Array;
  };
  return { run, close: () => session.release() };
}

interface Figures extends Size {
  readonly threads: number;
  readonly product: string;
  /** The median of the CPU time, in milliseconds; that of float32 over it, of runs that followed one another. */
  readonly milliseconds?: number;
  readonly speedUp?: number;
  /** Root mean square of the error over that of the result. */
  readonly error?: number;
  /** Why it does not run. */
  readonly refused?: string;
}

async function measure(of: Size, threads: number): Promise<Figures[]> {
  const figures: Figures[] = [];
  const open: { product: string; run: () => Promise<Float32Array>; close: () => Promise<void>; times: number[] }[] = [];
  for (const [product, variant] of Object.entries(variantsOf(of))) {
    try {
      const { run, close } = await sessionOf(variant, of.outputs, threads);
      await run();
      open.push({ product, run, close, times: [] });
    } catch (error) {
      figures.push({ ...of, threads, product, refused: String(error).slice(0, 160) });
    }
  }
  // Small products run often enough to be timed.
  const repeats = Math.max(1, Math.round(2e8 / (of.rows * of.inputs * of.outputs)));
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const { run, times } of open) {
      const started = process.cpuUsage();
      for (let i = 0; i < repeats; i++) await run();
      const { user, system } = process.cpuUsage(started);
      if (round >= 0) times.push((user + system) / 1000 / repeats);
    }
  }
  const [base] = open;
  const right = (await base?.run()) as Float32Array;
  const norm = Math.hypot(...right);
  for (const { product, run, close, times } of open) {
    const row = await run();
    figures.push({
      ...of,
      threads,
      product,
      milliseconds: median(times),
      speedUp: median(times.map((time, i) => (base?.times[i] as number) / time)),
      error: Math.hypot(...row.map((value, i) => value - (right[i] as number))) / norm,
    });
    await close();
  }
  return figures;
}

const machine = thisMachine();
const results: Figures[] = [];
for (const threads of [1, 2]) {
  for (const one of sizes) results.push(...(await measure(one, threads)));
}
const lines = results.map((one) => [
  one.network,
  String(one.threads),
  `${one.rows} x ${one.inputs} x ${one.outputs}`,
  one.product,
  one.milliseconds?.toFixed(3) ?? "",
  one.speedUp?.toFixed(2) ?? "",
  one.error?.toExponential(1) ?? one.refused ?? "",
]);
process.stdout.write(
  `${table([["network", "threads", "size", "product", "CPU ms", "faster", "error"], ...lines]).join("\n")}\n`,
);
await writeFigures("quantised-products", machine, results);
