/** The part of a served model that brings images of any size to that of the network. */
import { ELEMENT_TYPES } from "../graph/onnx/element-types.js";
import type { ModelProto, NodeProto } from "../graph/onnx-proto.js";
import { Nodes } from "./nodes.js";

const PREFIX = "%image.";
/** The a of the cubic kernel of Keys 1981, as other programs have it. ONNX's own is -0.75. */
const CUBIC = -0.5;

/** How images get into the size: their middle, all of them with black borders, or all of them stretched. */
export type ImageFit = "crop" | "pad" | "stretch";

export interface ImageSizeOptions {
  /** The model's input, uint8 [batch, height, width, channels]. */
  readonly name: string;
  /** What the network reads. */
  readonly imageSize: readonly [height: number, width: number];
  readonly channels: number;
  readonly fit: ImageFit;
}

/**
 * The same model with an input of any height and width, all images of a batch being of one size. They are resized to cover
 * the network's size, or to lie within it, and cropped or bordered about their middle, as sharp does: to whole pixels, by a
 * cubic kernel, over all pixels that fall into one where they shrink (antialias). That kernel is of those that ONNX has the
 * nearest to sharp's own. Images of the network's size stay what they are, to the bit.
 */
export function servedAtAnySize(model: ModelProto, options: ImageSizeOptions): ModelProto {
  const { name, channels } = options;
  const g = new Nodes(PREFIX);
  const own = `${PREFIX}${name}`;
  g.result(own, g.node("Transpose", [framed(g, options)], { perm: [0, 2, 3, 1] }));
  const { graph } = model;
  const dim = [{ dimParam: "batch" }, { dimParam: "height" }, { dimParam: "width" }, { dimValue: channels }];
  const type = { tensorType: { elemType: ELEMENT_TYPES.uint8, shape: { dim } } };
  const reading = (node: NodeProto) => ({ ...node, input: node.input.map((one) => (one === name ? own : one)) });
  return {
    ...model,
    graph: {
      ...graph,
      node: [...g.nodes, ...graph.node.map(reading)],
      initializer: [...g.initializers, ...graph.initializer],
      input: graph.input.map((input) => (input.name === name ? { name, type } : input)),
    },
  };
}

/** The images in the network's size: uint8 [batch, channels, height, width]. */
function framed(g: Nodes, { name, imageSize, channels, fit }: ImageSizeOptions): string {
  const [numImages = "", h = "", w = ""] = [0, 1, 2].map((axis) =>
    g.node("Shape", [name], { start: axis, end: axis + 1 }),
  );
  const [height, width] = imageSize;
  const [mul, add, div, sub] = (["Mul", "Add", "Div", "Sub"] as const).map(
    (op) => (a: string, b: string) => g.node(op, [a, b]),
  ) as [Binary, Binary, Binary, Binary];
  // A side where the other one gets its own size, rounded: (2 side own + other) / (2 other).
  const proportional = (side: string, other: string, own: number) =>
    div(add(mul(side, g.whole([2 * own])), other), mul(other, g.whole([2])));
  const within = [
    [height, proportional(h, w, width)],
    [width, proportional(w, h, height)],
  ] as const;
  const bound = fit === "crop" ? "Max" : "Min";
  const made = within.map(([size, asked]) =>
    fit === "stretch" ? g.whole([size]) : g.node("Max", [g.node(bound, [g.whole([size]), asked]), g.whole([1])]),
  );
  const list = (parts: readonly string[]) => g.node("Concat", parts, { axis: 0 });
  const resized = g.node(
    "Resize",
    // Sizes of all axes: ONNX Runtime 1.30 moves transpositions over Resize as if it always had these.
    [g.node("Transpose", [name], { perm: [0, 3, 1, 2] }), "", "", list([numImages, g.whole([channels]), ...made])],
    { mode: "cubic", cubic_coeff_a: { float: CUBIC }, antialias: 1 },
  );
  if (fit === "stretch") return resized;
  const two = g.whole([2]);
  const sizes = within.map(([size]) => g.whole([size]));
  if (fit === "crop") {
    const starts = sizes.map((size, i) => div(add(sub(made[i] as string, size), g.whole([1])), two));
    const ends = sizes.map((size, i) => add(starts[i] as string, size));
    return g.node("Slice", [resized, list(starts), list(ends), g.whole([2, 3])]);
  }
  const missing = sizes.map((size, i) => sub(size, made[i] as string));
  const before = missing.map((size) => div(size, two));
  const after = missing.map((size, i) => sub(size, before[i] as string));
  const none = g.whole([0, 0]);
  return g.node("Pad", [resized, list([none, ...before, none, ...after])]);
}

type Binary = (a: string, b: string) => string;
