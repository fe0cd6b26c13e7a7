/** Steps that change only those rows of a table that their batch reads, in the place of passes over the whole table. */
import { ConfigError } from "../errors.js";
import { add, exp, gather, greater, log, mul, reduceMax, reshape, setRows, sub, where } from "../graph/ops.js";
import { type RowGradient, rowGradient } from "../graph/row-gradient.js";
import type { Tensor, Tensors } from "../graph/tensor.js";
import { mapValues, named } from "../runtime/named.js";
import { firstMatch } from "./patterns.js";
import type { GradientTransformation, OptStateSpec, Shapes, UpdateInput } from "./transformations.js";

/**
 * State of a param with sparse updates: the number of steps taken, and for each row the number, from 1, of the step
 * that last updated it (0 for none).
 */
const STEPS = "rows.steps";
const LAST = "rows.last";

/** Gradients by the rows that a batch reads, by the names of params. */
export type RowGradients = Readonly<Record<string, RowGradient>>;

/**
 * An optimizer with sparse updates for params of these names or patterns: {@link step} changes only the rows that a
 * batch reads. The loss must read such a table by `gather` alone.
 *
 * Where a row without a gradient keeps its value and its state (SGD, Adagrad), results are those of dense updates.
 * Where its state would decay (momentum, RMSProp, Adam), the decay of the steps that a row missed is applied when it is
 * read again, so its moments are those of dense updates; the steps that these moments would have moved the row by in
 * between are not taken. For this, the state holds the step that last updated each row.
 *
 * Among repeated ids, the first has the gradient of the row and the others 0. A part that takes a norm over all params
 * must therefore come before those that keep state, as clipping does in all ready-made optimizers.
 *
 * `stateSpec` throws {@link ConfigError} for a param that cannot have sparse updates.
 */
export function touchingRows(optimizer: GradientTransformation, patterns: readonly string[]): GradientTransformation {
  const isTouched = (name: string) => firstMatch(patterns, name) !== undefined;
  return {
    ...optimizer,
    isTouched,
    stateSpec(params) {
      checkSparseParams({ ...optimizer, isTouched }, params);
      const state: Record<string, OptStateSpec> = { ...optimizer.stateSpec(params) };
      for (const [name, param] of Object.entries(params)) {
        if (!isTouched(name)) continue;
        const own = Object.values(optimizer.stateSpec({ [name]: param }));
        if (own.every(({ decay }) => decay === undefined)) continue;
        state[`${STEPS}.${name}`] = { shape: [], fill: 0 };
        state[`${LAST}.${name}`] = { shape: param.shape.slice(0, 1), fill: 0 };
      }
      return state;
    },
  };
}

/** Throws {@link ConfigError} for a param that should have sparse updates and cannot with this optimizer. */
export function checkSparseParams({ isTouched, sparseUnsupported }: GradientTransformation, params: Shapes): void {
  for (const [name, { shape }] of Object.entries(params)) {
    if (!isTouched?.(name)) continue;
    const why = sparseUnsupported ? sparseUnsupported(name) : "a part of the optimizer does not say that it can";
    const problem = shape.length === 0 ? "it has no rows" : why;
    if (problem === null) continue;
    throw new ConfigError(`optimizer: "${name}" cannot be updated by touched rows: ${problem}`);
  }
}

/**
 * The gradients of the params with sparse updates.
 *
 * Throws {@link ConfigError} when the loss does not read such a param by its rows alone.
 */
export function rowGradients({ isTouched }: GradientTransformation, grads: Tensors): RowGradients {
  const touched: Record<string, RowGradient> = {};
  for (const [name, grad] of Object.entries(grads)) {
    if (!isTouched?.(name)) continue;
    const rows = rowGradient(grad);
    if (!rows) {
      throw new ConfigError(
        `optimizer: "${name}" cannot be updated by touched rows: the loss must read it by gather alone, in each example or ` +
          "in none, and in one batch that is not accumulated; leave it out of the touched rows",
      );
    }
    touched[name] = rows;
  }
  return touched;
}

/** The gradients, where a param with sparse updates has only the gradients of its rows; the norm of all is the same. */
export function withRows(grads: Tensors, touched: RowGradients): Tensors {
  return mapValues(grads, (grad, name) => touched[name]?.rows ?? grad);
}

/** Params and state after a step of an optimizer, whose `updates` are the gradients. */
export function step(
  optimizer: GradientTransformation,
  { updates: grads, params, optState, scalars }: UpdateInput,
  touched = rowGradients(optimizer, grads),
): { readonly params: Tensors; readonly optState: Tensors } {
  const tables = Object.entries(touched).map(([name, gradient]) => {
    const param = named(params, name);
    const shapes = { [name]: param } as Shapes;
    return { name, gradient, ...readRows(optimizer.stateSpec(shapes), name, { gradient, param, optState, scalars }) };
  });
  const rowsBy = <T>(of: (table: (typeof tables)[number]) => T) =>
    Object.fromEntries(tables.map((t) => [t.name, of(t)]));
  const after = optimizer.update({
    updates: withRows(grads, touched),
    params: { ...params, ...rowsBy(({ rows }) => rows) },
    optState: Object.assign({}, optState, ...tables.map(({ state }) => state)),
    scalars,
  });
  const newParams = mapValues(params, (param, name) => {
    const before = tables.find((table) => table.name === name);
    const moved = add(before?.rows ?? param, named(after.updates, name));
    return before ? written(param, before.gradient, moved) : moved;
  });
  const newState = tables.map(({ gradient, state, touches }) => ({
    ...mapValues(state, (_, key) => written(named(optState, key), gradient, named(after.optState, key))),
    ...touches,
  }));
  return { params: newParams, optState: Object.assign({}, after.optState, ...newState) };
}

interface Table extends Pick<UpdateInput, "optState" | "scalars"> {
  readonly param: Tensor;
  readonly gradient: RowGradient;
}

/** The rows of a param and of its state that a batch reads, with the missed decay applied, and the new step counts. */
function readRows(
  specs: Readonly<Record<string, OptStateSpec>>,
  name: string,
  { param, gradient, optState, scalars }: Table,
) {
  const { indices } = gradient;
  const rows = gather(param, indices);
  const [stepsName, lastName] = [`${STEPS}.${name}`, `${LAST}.${name}`];
  const kept = (key: string) => gather(named(optState, key), indices);
  if (!specs[lastName]) return { rows, state: mapValues(specs, (_, key) => kept(key)), touches: {} };
  const own = Object.entries(specs).filter(([key]) => key !== stepsName && key !== lastName);
  const last = kept(lastName);
  const missed = sub(named(optState, stepsName), last);
  const column = reshape(missed, [...missed.shape, ...rows.shape.slice(1).map(() => 1)]);
  const state = own.map(([key, { decay }]) => {
    const before = kept(key);
    return [key, decay === undefined ? before : mul(before, power(named(scalars, decay), column))] as const;
  });
  // The number of steps taken, written so that the old state is read before any of it is changed in place.
  const steps = add(last, missed);
  const touches = {
    [stepsName]: add(reduceMax(steps), 1),
    [lastName]: written(named(optState, lastName), gradient, add(steps, 1)),
  };
  return { rows, state: Object.fromEntries(state), touches };
}

/** A table with new rows: every position of a repeated row takes the value of the row's first position. */
function written(table: Tensor, { indices, first }: RowGradient, rows: Tensor): Tensor {
  return setRows(table, indices, gather(rows, first));
}

/** base^exponent for whole exponents that are not negative; 0^0 is 1. */
function power(base: Tensor, exponent: Tensor): Tensor {
  return where(greater(exponent, 0), exp(mul(exponent, log(base))), 1);
}
