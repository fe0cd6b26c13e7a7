import type { ActivationOps } from "../tensor.js";
import { MICROSOFT, type Rules } from "./builder.js";

export const activationsEmission = {
  gelu: (b, _, x = "") => b.node("Gelu", [x], {}, MICROSOFT),
  quickGelu: (b, { attributes: { alpha } }, x = "") => b.node("QuickGelu", [x], { alpha: { float: alpha } }, MICROSOFT),
} satisfies Rules<keyof ActivationOps>;
