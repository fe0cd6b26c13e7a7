/** The Python that golden values and measurements of PyTorch come from. */
import { spawnSync } from "node:child_process";

/** What to do when there is none. */
export const PYTHON_CURE = "apt-get install python3-torch";

/** The Python that has PyTorch: the first on the path, or the system's behind another; undefined when neither has it. */
export function findPython(): string | undefined {
  return ["python3", "/usr/bin/python3"].find((python) => spawnSync(python, ["-c", "import torch"]).status === 0);
}

/** The same, for those who cannot do without. */
export function requirePython(): string {
  const found = findPython();
  if (!found) throw new Error(`no python3 with torch was found. The golden files come from PyTorch: ${PYTHON_CURE}`);
  return found;
}
