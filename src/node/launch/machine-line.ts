/** The machine that something was measured on, in a line. */
import { availableParallelism, cpus, release, totalmem, type as typeOfSystem } from "node:os";
import { bytes, counted } from "../../report/format.js";

export function machineLine(): string {
  const cpu = cpus()[0]?.model.trim() ?? "unknown processor";
  const cores = counted(availableParallelism(), "core");
  return `${cpu}, ${cores}, ${bytes(totalmem())} of memory, ${typeOfSystem()} ${release()}, Node.js ${process.version}.`;
}
