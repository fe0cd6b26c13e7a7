/** A lock on a file that the kernel keeps for a process and takes back when the process ends, however it ends. */
import { createRequire } from "node:module";

const [EXCLUSIVE, AT_ONCE] = [2, 4];

type Call = (file: number, operation: number) => number;
interface Library {
  readonly flock: Call;
  /** The code of the last call's error on this thread. */
  errno(): number;
  readonly wouldBlock: number;
}

let library: Library | null | undefined;

/**
 * Lock an open file with `flock` until the file is closed. "taken" when another process of this kernel, in any
 * container, holds the lock; "unsupported" where the system or the file system has no such locks.
 */
export function lockFile(file: number): "locked" | "taken" | "unsupported" {
  library ??= loadLibrary();
  if (!library) return "unsupported";
  if (library.flock(file, EXCLUSIVE | AT_ONCE) === 0) return "locked";
  return library.errno() === library.wouldBlock ? "taken" : "unsupported";
}

/** The functions of the C library that this process has loaded; null on Windows, and where koffi does not work. */
function loadLibrary(): Library | null {
  if (process.platform === "win32") return null;
  try {
    const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
    const flock = koffi.load(null).func("int flock(int, int)") as unknown as Call;
    return { flock, errno: () => koffi.errno(), wouldBlock: koffi.os.errno.EWOULDBLOCK ?? koffi.os.errno.EAGAIN ?? 11 };
  } catch {
    return null;
  }
}
