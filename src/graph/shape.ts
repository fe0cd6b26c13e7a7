/** Sizes of tensors: whole numbers, but for one symbolic leading axis. */

/** One axis of a shape: a known size, or the symbolic leading axis whose size each run brings, or a multiple of that. */
export type Axis = number | "batch" | `batch*${number}`;

/** Sizes by axis; only the first may be symbolic. */
export type Shape = readonly Axis[];

/** Whether only a run tells the size of an axis. */
export function isSymbolic(axis: Axis | undefined): axis is Exclude<Axis, number> {
  return typeof axis === "string";
}

/** How many elements a shape has for each example of the batch, or has altogether where its axes are all known. */
export function elementsOf(shape: Shape): { readonly count: number; readonly isPerExample: boolean } {
  const count = shape.reduce<number>((product, axis) => product * factorOf(axis), 1);
  return { count, isPerExample: shape.some(isSymbolic) };
}

/** The known factor of an axis: 6 of `batch*6`, 1 of `batch`. */
export function factorOf(axis: Axis): number {
  if (!isSymbolic(axis)) return axis;
  return axis === "batch" ? 1 : Number(axis.slice("batch*".length));
}

/** The symbolic axis of so many elements for each example. */
function perExample(count: number): Axis {
  return count === 1 ? "batch" : `batch*${count}`;
}

/** One axis in the place of several. */
export function joined(shape: Shape): Axis {
  const { count, isPerExample } = elementsOf(shape);
  return isPerExample ? perExample(count) : count;
}

/** A shape as text: `[batch, 16]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}
