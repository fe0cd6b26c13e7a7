import { ShapeError } from "../../errors.js";
import { node, type Tensor } from "../tensor.js";
import { requireDtype } from "./checks.js";
import { add, clamp, div, mul } from "./elementwise.js";

/** x Phi(x), where Phi is the distribution function of the standard normal: exact GELU (Hendrycks and Gimpel 2016). */
export function gelu(x: Tensor): Tensor {
  requireDtype("gelu", x, "float32");
  return node("gelu", [x], {}, x.shape, "float32");
}

/** x sigmoid(alpha x), with alpha as float32; 1.702 comes close to {@link gelu} (Hendrycks and Gimpel 2016). */
export function quickGelu(x: Tensor, alpha = 1.702): Tensor {
  requireDtype("quickGelu", x, "float32");
  if (!Number.isFinite(alpha)) throw new ShapeError(`quickGelu: alpha must be finite, got ${alpha}`);
  return node("quickGelu", [x], { alpha: Math.fround(alpha) }, x.shape, "float32");
}

/** x sigmoid(x) (Elfwing et al. 2017; Ramachandran et al. 2017). */
export function silu(x: Tensor): Tensor {
  return quickGelu(x, 1);
}

/** x clamp(x + 3, 0, 6) / 6 (Howard et al. 2019). */
export function hardSwish(x: Tensor): Tensor {
  return div(mul(x, clamp(add(x, 3), 0, 6)), 6);
}
