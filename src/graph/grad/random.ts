import type { RandomOps } from "../tensor.js";
import { NOT_DIFFERENTIABLE, type Rules } from "./rule.js";

export const randomGradients = { randomUniform: NOT_DIFFERENTIABLE } satisfies Rules<keyof RandomOps>;
