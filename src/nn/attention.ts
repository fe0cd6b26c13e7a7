/** Self-attention over [batch, time, width] and the block of a transformer. */
import { ShapeError } from "../errors.js";
import { add, causalMask, constant, gelu, matmul, reshape, softmax, split, transpose, where } from "../graph/ops.js";
import type { Axis, Tensor, Tensors } from "../graph/tensor.js";
import { scalar } from "../runtime/array.js";
import { linear, linearParams } from "./layers.js";
import type { ParamSpec } from "./model.js";
import { layerNormAt, normParams } from "./norm.js";

/** A score to which softmax gives no weight; finite, because -Infinity would make NaN of a row that sees nothing. */
const MASK_VALUE = constant(scalar(-3e38));

export interface AttentionOptions {
  /** The number of heads that the width divides into. */
  readonly numHeads: number;
  /** Whether a position sees only itself and earlier ones; true by default. */
  readonly isCausal?: boolean | undefined;
}

/** Params of self-attention: `qkv` [width, 3 width] (queries, keys, values) and `output` [width, width], with biases. */
export function attentionParams(path: string, width: number): Record<string, ParamSpec> {
  return { ...linearParams(`${path}.qkv`, width, 3 * width), ...linearParams(`${path}.output`, width, width) };
}

/**
 * Multi-head self-attention (Vaswani et al. 2017, section 3.2): for each head
 *
 *     softmax(Q K^T / sqrt(width / numHeads)) V,
 *
 * heads side by side through `output`. `x` [batch, time, width] to the same shape.
 *
 * Throws {@link ShapeError} when the width does not divide into the heads.
 */
export function attention(
  params: Tensors,
  path: string,
  x: Tensor,
  { numHeads, isCausal = true }: AttentionOptions,
): Tensor {
  const [batch, time, width] = x.shape as [Axis, number, number];
  const depth = width / numHeads;
  if (!Number.isInteger(depth)) {
    throw new ShapeError(`attention: the width must divide into the heads, got width ${width} and ${numHeads} heads`);
  }
  const heads = headsOf(linear(params, `${path}.qkv`, x), numHeads, depth);
  const joined = transpose(attended(heads, isCausal ? causalMask(time) : undefined), [0, 2, 1, 3]);
  return linear(params, `${path}.output`, reshape(joined, [batch, time, width]));
}

/** Queries, keys and values: [batch, heads, time, depth] each; the time of queries may differ. */
export type Heads = readonly [query: Tensor, key: Tensor, value: Tensor];

/** Rows [batch, time, 3 heads x depth], queries before keys before values, by heads. */
export function headsOf(rows: Tensor, numHeads: number, depth: number): Heads {
  const [batch, time] = rows.shape as [Axis, number];
  const heads = transpose(reshape(rows, [batch, time, 3 * numHeads, depth]), [0, 2, 1, 3]);
  return split(heads, 1, [numHeads, numHeads, numHeads]) as [Tensor, Tensor, Tensor];
}

/**
 * softmax(Q K^T / sqrt(depth)) V [batch, heads, time of queries, depth]. Where `isSeen`, bool that broadcasts to
 * [batch, heads, time of queries, time of keys], does not hold, a value has no weight.
 */
export function attended([query, key, value]: Heads, isSeen?: Tensor): Tensor {
  const depth = query.shape.at(-1) as number;
  const scores = matmul(query, key, { transposeB: true, scale: 1 / Math.sqrt(depth) });
  return matmul(softmax(isSeen ? where(isSeen, scores, MASK_VALUE) : scores), value);
}

/** Params of a pre-norm block: `norm1`, `attention`, `norm2`, `mlp.0` [width, 4 width], `mlp.1` [4 width, width]. */
export function transformerBlockParams(path: string, width: number): Record<string, ParamSpec> {
  const at = (name: string) => within(path, name);
  return {
    ...normParams(at("norm1"), width),
    ...attentionParams(at("attention"), width),
    ...normParams(at("norm2"), width),
    ...linearParams(at("mlp.0"), width, 4 * width),
    ...linearParams(at("mlp.1"), 4 * width, width),
  };
}

/**
 * A pre-norm transformer block (Xiong et al. 2020, figure 1b) with the exact GELU:
 *
 *     y = x + attention(LN(x)),  z = y + mlp.1(gelu(mlp.0(LN(y)))).
 *
 * `x` [batch, time, width] to the same shape.
 */
export function transformerBlock(params: Tensors, path: string, x: Tensor, options: AttentionOptions): Tensor {
  const at = (name: string) => within(path, name);
  const norm = (name: string, rows: Tensor) => layerNormAt(params, at(name), rows);
  const y = add(x, attention(params, at("attention"), norm("norm1", x), options));
  return add(y, linear(params, at("mlp.1"), gelu(linear(params, at("mlp.0"), norm("norm2", y)))));
}

/** A path below another one; a model that is a single block has no path above. */
function within(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}
