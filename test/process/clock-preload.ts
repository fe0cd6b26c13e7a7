/** Loaded by `--import` before a program: in the process of one group the clock is some hours off. Query: `process`, `hours`. */
import { isFor } from "./fault.js";

const { process: group = "", hours = "0" } = Object.fromEntries(new URL(import.meta.url).searchParams);
const shift = Number(hours) * 3_600_000;

if (isFor({ process: Number(group) }, process.argv)) {
  const Real = Date;
  const now = () => Real.now() + shift;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args) => (args.length === 0 ? new target(now()) : Reflect.construct(target, args)),
    apply: () => new Real(now()).toString(),
    get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
  });
}
