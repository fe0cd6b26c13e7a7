/** How each operation of ONNX is said in our vocabulary. */
import type { Translations } from "./call.js";
import { elementwiseTranslations } from "./ops/elementwise.js";
import { lossesTranslations } from "./ops/losses.js";
import { productsTranslations } from "./ops/products.js";
import { reductionsTranslations } from "./ops/reductions.js";
import { rowsTranslations } from "./ops/rows.js";
import { scanTranslation } from "./ops/scan.js";
import { shapesTranslations } from "./ops/shapes.js";
import { windowsTranslations } from "./ops/windows.js";

export const translations: Translations = {
  ...elementwiseTranslations,
  ...shapesTranslations,
  ...reductionsTranslations,
  ...rowsTranslations,
  ...windowsTranslations,
  ...productsTranslations,
  ...lossesTranslations,
  Scan: scanTranslation(() => translations),
};
