/** How far a long statement has come. */
import type { Database } from "./duckdb.js";

const EVERY_MS = 1000;
const STEP = 0.1;

/** Run work, report its stages, and for a stage that takes seconds also each tenth of its statement. */
export async function withShares<T>(
  onProgress: (stage: string) => void,
  db: Pick<Database, "progress">,
  work: (onProgress: (stage: string) => void) => Promise<T>,
): Promise<T> {
  let stage = "";
  let told = 0;
  const look = () => {
    const share = db.progress() ?? 0;
    // The next statement of a stage begins at 0 again.
    if (share < told) told = 0;
    if (share < told + STEP || share >= 1) return;
    told = Math.floor(share / STEP) * STEP;
    onProgress(`${stage}: ${Math.round(100 * told)} %`);
  };
  const timer = setInterval(look, EVERY_MS);
  try {
    return await work((next) => {
      [stage, told] = [next, 0];
      onProgress(next);
    });
  } finally {
    clearInterval(timer);
  }
}
