/** The precision in which teachers compute: float32, or products in whole numbers of 8 bits. */
import { type Graph, inputsOf } from "../graph/graph.js";
import { input, quantisedMatmul } from "../graph/ops.js";
import { allTensors, rewrite } from "../graph/passes/walk.js";
import { isOp, type Tensor } from "../graph/tensor.js";
import { carry, inputTensors, type Model, stateTensors, weightTensors } from "../nn/model.js";
import { float32, type NamedArrays, type NdArray, sizeOf } from "../runtime/array.js";
import { named, underPrefix, withPrefix } from "../runtime/named.js";
import { weightsPrefix } from "./fixed-networks.js";
import { type Learner, stateNames } from "./graphs.js";

/** The largest whole number of a weight: `quantisedMatmul` says why it is not 127. */
const MOST = 64;

/** Of a weight with fewer elements the product takes longer to be prepared than it saves (docs/decisions/019-int8-teachers.md). */
const FEWEST_ELEMENTS = 2 ** 14;

/**
 * The graph of a step, in which teachers compute as the learner says. In 8 bits, `quantisedMatmul` takes the place of each product
 * with a param of two axes, but for small ones; in two pieces where numbers of the batch are multiplied, as these may lie far apart.
 */
export function inTeacherPrecision(learner: Learner, graph: Graph): Graph {
  const quantised = [...groupsIn8Bits(learner), ...fixedIn8Bits(learner)];
  if (quantised.length === 0) return graph;
  const raw = numbersOfBatch(learner.model, graph);
  return rewrite(graph, (tensor, before) => {
    const [x, weight] = tensor.inputs;
    const factor = factorIn(tensor);
    if (!x || !weight || !factor || !isOp(weight, "input")) return tensor;
    const [, kind, slot, name] = /^(teachers|fixedTeachers)\.(\d+)\.(.+)$/.exec(weight.attributes.name) ?? [];
    const own = quantised.find((one) => one.kind === kind && (one.slot ?? Number(slot)) === Number(slot));
    if (name === undefined || !own?.factors().has(`${factor}.${name}`)) return tensor;
    const names = quantisedNames(own.int8(Number(slot)), `${factor}.${name}`);
    const [inner, columns] = factor === "transposed" ? [...weight.shape].reverse() : weight.shape;
    return quantisedMatmul(
      x,
      input(names.weight, [inner as number, columns as number], "int8"),
      input(names.scale, [columns as number]),
      raw.has(before.inputs[0] as Tensor) ? 2 : 1,
    );
  });
}

/** What the engine keeps of a teacher's weights in a slot, for the graphs of {@link inTeacherPrecision}; float32 arrays are not copied. */
export function teacherTensors(learner: Learner, slot: number, weights: NamedArrays): NamedArrays {
  const prefix = stateNames.teacher(slot);
  const [own] = groupsIn8Bits(learner);
  return own ? in8Bits(learner, own, slot, prefix, weights) : withPrefix(prefix, weights);
}

/** The same of the weights of all fixed teachers, as {@link fixedState} gives them. */
export function fixedTensors(learner: Learner, whole: NamedArrays): NamedArrays {
  const quantised = fixedIn8Bits(learner);
  if (quantised.length === 0) return whole;
  return Object.assign(
    {},
    ...quantised.map((own, place) => {
      const prefix = weightsPrefix(place);
      return in8Bits(learner, own, place, prefix, underPrefix(prefix, whole));
    }),
  );
}

/** Teachers that compute in 8 bits. */
interface In8Bits {
  readonly kind: "teachers" | "fixedTeachers";
  readonly model: Model;
  /** Left out for those of groups, whose networks are all the student's. */
  readonly slot?: number;
  /** The factors in 8 bits, found when they are first asked for. */
  readonly factors: () => ReadonlySet<string>;
  readonly int8: (slot: number) => string;
}

function groupsIn8Bits({ model, distillation = {} }: Learner): In8Bits[] {
  if (distillation.teacherPrecision !== "int8") return [];
  return [{ kind: "teachers", model, factors: factorsOnce(model), int8: stateNames.teacherInt8 }];
}

function fixedIn8Bits({ fixedTeachers }: Learner): In8Bits[] {
  if (fixedTeachers?.precision !== "int8") return [];
  return (fixedTeachers.networks ?? []).map(({ model }, slot) => ({
    ...{ kind: "fixedTeachers", model, slot, factors: factorsOnce(model), int8: stateNames.fixedTeacherInt8 },
  }));
}

function factorsOnce(model: Model): () => ReadonlySet<string> {
  let factors: ReadonlySet<string> | undefined;
  return () => (factors ??= new Set(factorsOf(model)));
}

function in8Bits(learner: Learner, own: In8Bits, slot: number, prefix: string, weights: NamedArrays): NamedArrays {
  const read = inputsOf(inTeacherPrecision(learner, forward(own.model, prefix)));
  const tensors = Object.entries(withPrefix(prefix, weights)).filter(([name]) => read.has(name));
  for (const factor of own.factors()) {
    const [, kind, name = ""] = /^(\w+)\.(.+)$/.exec(factor) ?? [];
    const { weight, scale } = quantised(named(weights, name), kind === "transposed");
    const names = quantisedNames(own.int8(slot), factor);
    tensors.push([names.weight, weight], [names.scale, scale]);
  }
  return Object.fromEntries(tensors);
}

/**
 * A weight [inner, columns] as int8 [inner, columns] and float32 [columns], its scales: q = round(w / s) with s = max |w| / 64 of each
 * column, and 0 where all of a column is 0. With `isTransposed` the weight is [columns, inner], and the result as without.
 */
export function quantised({ shape, data }: NdArray, isTransposed: boolean): { weight: NdArray; scale: NdArray } {
  const [rows = 0, width = 0] = shape;
  const [inner, columns] = isTransposed ? [width, rows] : [rows, width];
  const [perInner, perColumn] = isTransposed ? [1, width] : [width, 1];
  const most = new Float32Array(columns);
  for (let k = 0; k < inner; k++) {
    for (let column = 0; column < columns; column++) {
      // NaN stays NaN, and so does what is computed by it.
      most[column] = Math.max(most[column] as number, Math.abs(data[k * perInner + column * perColumn] as number));
    }
  }
  const perStep = Float64Array.from(most, (size) => (size > 0 ? MOST / size : 0));
  const whole = new Int8Array(inner * columns);
  for (let k = 0; k < inner; k++) {
    for (let column = 0; column < columns; column++) {
      const value = data[k * perInner + column * perColumn] as number;
      whole[k * columns + column] = Math.round(value * (perStep[column] as number));
    }
  }
  return {
    weight: { dtype: "int8", shape: [inner, columns], data: whole },
    scale: float32(
      most.map((size) => size / MOST),
      [columns],
    ),
  };
}

function quantisedNames(prefix: string, factor: string) {
  return { weight: `${prefix}.${factor}.weight`, scale: `${prefix}.${factor}.scale` };
}

/** How a product reads its second operand, where it may be in 8 bits. */
function factorIn(tensor: Tensor): "plain" | "transposed" | undefined {
  if (!isOp(tensor, "matmul") || tensor.inputs[1]?.shape.length !== 2) return undefined;
  const { transposeA, transposeB, scale } = tensor.attributes;
  if (transposeA || scale !== 1) return undefined;
  return transposeB ? "transposed" : "plain";
}

/** What is computed of the numbers that a model reads without a product between. */
function numbersOfBatch({ inputs }: Model, graph: Graph): ReadonlySet<Tensor> {
  const found = new Set<Tensor>();
  for (const tensor of allTensors(graph)) {
    const isRead = isOp(tensor, "input") && inputs[tensor.attributes.name]?.dtype === "float32";
    const isMade = tensor.op !== "matmul" && tensor.inputs.some((one) => found.has(one));
    if (isRead || isMade) found.add(tensor);
  }
  return found;
}

/** The params of a model that are factors in 8 bits, each as `plain.<name>` or `transposed.<name>`. */
function factorsOf(model: Model): readonly string[] {
  const graph = forward(model, stateNames.teacher(0));
  const params = underPrefix(stateNames.teacher(0), Object.fromEntries(inputsOf(graph)));
  const nameOf = new Map<Tensor, string>(Object.entries(params).map(([name, param]) => [param, name]));
  const found = allTensors(graph).flatMap((tensor) => {
    const [factor, weight] = [factorIn(tensor), tensor.inputs[1]];
    const name = weight && nameOf.get(weight);
    if (!factor || name === undefined || !Object.hasOwn(model.params, name)) return [];
    return sizeOf(weight?.shape as readonly number[]) < FEWEST_ELEMENTS ? [] : [`${factor}.${name}`];
  });
  return [...new Set(found)];
}

/** A teacher alone, whose weights are under a prefix. */
function forward(model: Model, prefix: string): Graph {
  const states = stateTensors(model, stateNames.teacherState(0));
  const weights = { ...weightTensors(model, prefix), ...states };
  const { logits, state } = carry(model, weights, inputTensors(model));
  return { outputs: { logits, ...withPrefix("state", state) }, updates: {} };
}
