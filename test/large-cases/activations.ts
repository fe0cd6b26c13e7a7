import * as ops from "../../src/graph/ops.js";
import type { Case } from "../op-case.js";
import { unary } from "./shared.js";

export const activationsLargeCases = {
  gelu: unary(ops.gelu),
  quickGelu: unary((x) => ops.quickGelu(x)),
} satisfies { readonly [O in "gelu" | "quickGelu"]: readonly Case[] };
