/** Workers in processes of their own, on one machine or many, that a launcher of MPI started together. */
import { MessageChannel, type Transferable, Worker } from "node:worker_threads";
import { type Communicator, closedCommunicator } from "../../../comm/communicator.js";
import type { ProcessMail } from "../../../comm/mail.js";
import { ConfigError, errorOfCode, WorkerError } from "../../../errors.js";
import { closable } from "../../../runtime/closable.js";
import { type SilenceWatch, watchSilence } from "../silence.js";
import { missingHeaders } from "./headers.js";
import { checkPairing, type Launcher, launcherOf } from "./launcher.js";
import { mpiMail } from "./mail.js";
import type { MpiAnswer, MpiRequest, MpiThreadData } from "./thread.js";

export interface MpiCommunicatorOptions {
  /** Seconds after which a worker that waits for another one gives it up; 600 by default. */
  readonly timeoutSeconds?: number | undefined;
  /** Seconds after which this worker gives up when not all processes of its launcher have begun with MPI; 600 by default. */
  readonly startSeconds?: number | undefined;
  /** What people call a worker; "worker 1" by default. */
  readonly nameOf?: ((rank: number) => string) | undefined;
  /** The path of the library of MPI; the one that goes with the launcher is found by its name by default. */
  readonly library?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** A worker among processes that have no memory in common: its own begins empty, see `withMemory`. */
export interface MpiCommunicator extends Communicator {
  /** What the library says of itself. */
  readonly library: string;
  /** The rank of the worker that gave up, where one did; null before, and where a worker is lost. */
  givenUpBy(): number | null;
  /**
   * Work by letters of at most so many bytes, until the mail is closed: no other operation is called meanwhile. Called by all
   * workers, of which worker 0 leads.
   */
  openMail(mostBytes: number): ProcessMail;
}

/**
 * This process as a worker among those that its launcher started.
 *
 * Throws {@link ConfigError} when there is no library of MPI, it does not go with the launcher, or it fails; {@link WorkerError} when
 * another process does not come to begin with MPI. A thread of this one then waits for it inside the library, so that it ends by a
 * signal alone.
 */
export async function mpiCommunicator({
  timeoutSeconds = 600,
  startSeconds = 600,
  nameOf = (rank) => `worker ${rank}`,
  library,
  env = process.env,
}: MpiCommunicatorOptions = {}): Promise<MpiCommunicator> {
  const launcher = launcherOf(env);
  if (launcher.kind === "slurm")
    throw new ConfigError(
      `workers: ${launcher.size} processes must find each other, and srun was started without --mpi. Use srun --mpi=pmix with Open MPI, or srun --mpi=pmi2 with MPICH.`,
    );
  // Open MPI reads the environment of the process: with it a rank that waits gives its core to one that computes.
  process.env.OMPI_MCA_mpi_yield_when_idle ??= "1";
  // UCX, by which MPICH moves numbers, would put hooks of its own into the memory calls of a process whose other threads use them: one
  // start in forty then ended by a segmentation fault.
  process.env.UCX_MEM_EVENTS ??= "n";
  const control = new SharedArrayBuffer(8);
  const data: MpiThreadData = { libraries: library === undefined ? launcher.libraries : [library], control };
  const worker = new Worker(new URL("./thread.js", import.meta.url), { workerData: data });
  return joined(worker, launcher, new Int32Array(control), { timeoutSeconds, startSeconds, nameOf });
}

async function joined(
  worker: Worker,
  launcher: Launcher,
  control: Int32Array,
  {
    timeoutSeconds,
    startSeconds,
    nameOf,
  }: {
    readonly timeoutSeconds: number;
    readonly startSeconds: number;
    readonly nameOf: (rank: number) => string;
  },
): Promise<MpiCommunicator> {
  let waiting: { resolve(answer: MpiAnswer): void; reject(error: unknown): void } | undefined;
  let broken: unknown;
  let givenUpBy: number | null = null;
  /** Resolves when the others know that this worker has given up. */
  let told: Promise<void> | undefined;
  /** Resolves when no mail is open. */
  let mailEnd: Promise<void> = Promise.resolve();
  let isClosed = false;
  worker.on("message", (answer: MpiAnswer) => {
    const { resolve, reject } = waiting ?? {};
    waiting = undefined;
    if ("error" in answer && answer.from !== undefined) givenUpBy = answer.from;
    if ("error" in answer) reject?.(errorOfCode(answer.code, new Error(answer.error)));
    else resolve?.(answer);
  });
  worker.on("error", (error) => waiting?.reject(error));
  const next = () =>
    new Promise<MpiAnswer>((resolve, reject) => {
      waiting = { resolve, reject };
    });
  const first = await within(startSeconds, next(), () => notBegun(launcher, startSeconds));
  if (!("started" in first)) throw new Error("internal: the thread of MPI answered before it had started");
  const { rank, size, version } = first.started;
  const headers = new Uint8Array(first.started.headers);
  checkPairing(launcher, version, size, rank);

  /** Let the thread do something, which takes as long as it takes. */
  async function ask(request: MpiRequest, given: readonly Transferable[] = []): Promise<void> {
    const answered = next();
    worker.postMessage(request, given);
    await answered;
  }

  function checkSound(): void {
    if (isClosed) throw closedCommunicator();
    if (broken) throw broken;
  }

  async function call(request: MpiRequest): Promise<void> {
    checkSound();
    const answered = ask(request);
    try {
      await within(timeoutSeconds, answered, () => notCome(request.call));
    } catch (error) {
      answered.catch(() => undefined);
      broken ??= error;
      throw error;
    }
  }

  /** Give the others up. */
  function notCome(call: string): WorkerError {
    const missing = size === 2 ? [1 - rank] : missingHeaders(headers);
    Atomics.store(control, 0, 1);
    const who =
      missing.length === 0 ? "all have begun it, and one has not come to its end" : missing.map(nameOf).join(", ");
    return new WorkerError(
      `a worker that calls ${call} waits for all others, and of ${size} workers not all have come within ${timeoutSeconds} s ` +
        `(missing: ${who}): a process has stopped, or a machine or the network between them is gone`,
    );
  }

  /** An array that the thread of MPI sees, and what puts its values where they are wanted. */
  function shared<
    T extends Float32Array<ArrayBufferLike> | Float64Array<ArrayBufferLike> | Uint8Array<ArrayBufferLike>,
  >(array: T): T {
    if (array.buffer instanceof SharedArrayBuffer) return array;
    const Kind = array.constructor as new (buffer: SharedArrayBuffer) => T;
    const copy = new Kind(new SharedArrayBuffer(array.byteLength));
    copy.set(array as never);
    return copy;
  }

  const communicator: Omit<MpiCommunicator, "close" | typeof Symbol.asyncDispose> = {
    rank,
    size,
    memory: new Float32Array(new SharedArrayBuffer(0)),
    library: version,
    givenUpBy: () => givenUpBy,
    async allReduce(numbers) {
      const own = shared(numbers);
      await call({ call: "allReduce", numbers: own });
      if (own !== numbers) numbers.set(own);
    },
    async reduce(numbers, root) {
      const own = shared(numbers);
      await call({ call: "reduce", numbers: own, root });
      if (own !== numbers) numbers.set(own);
    },
    async broadcast(bytes, root) {
      const own = shared(bytes);
      await call({ call: "broadcast", bytes: own, root });
      if (own !== bytes) bytes.set(own);
    },
    barrier: () => call({ call: "barrier" }),
    openMail(mostBytes) {
      checkSound();
      const { port1, port2 } = new MessageChannel();
      const ended = ask({ call: "mail", port: port2, mostBytes }, [port2]).catch((error: unknown) => {
        broken ??= error;
        throw error;
      });
      mailEnd = ended.catch(() => undefined);
      return mpiMail({ rank, size, port: port1, control, ended, nameOf, timeoutSeconds });
    },
    abort(reason, code = "WORKER") {
      if (broken || isClosed) return;
      told = mailEnd.then(() => ask({ call: "abort", reason, code })).catch(() => undefined);
      broken = errorOfCode(code, new Error(reason));
    },
  };
  return closable(communicator, async () => {
    isClosed = true;
    await told;
    // A library whose calls did not come to their end cannot be ended either; the launcher ends what is left.
    if (broken && givenUpBy === null) return void worker.unref();
    await within(timeoutSeconds, ask({ call: "finalize" }), () => notEnded(nameOf(rank), timeoutSeconds));
  });
}

/** An answer that comes in time; else what `late` gives then is thrown. */
async function within<T>(seconds: number, answer: Promise<T>, late: () => WorkerError): Promise<T> {
  let watch: SilenceWatch | undefined;
  const silence = new Promise<never>((_, reject) => {
    watch = watchSilence(seconds, () => reject(late()));
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    watch?.end();
  }
}

function notEnded(own: string, seconds: number): WorkerError {
  return new WorkerError(
    `the work of ${own} is done, and what it saved is whole, but MPI has not ended within ${seconds} s: a process has stopped, or a machine or the network, ` +
      "or MPI_Finalize waits for ever, as that of MPICH with UCX now and then does. Where training is not finished, the same command goes on.",
  );
}

function notBegun({ name, size, rank }: Launcher, seconds: number): WorkerError {
  return new WorkerError(
    `all processes of a launcher begin with MPI together, and of ${size ?? "the"} that ${name} started not all have come within ${seconds} s, ` +
      `for which ${rank === null ? "this one" : `worker ${rank}`} waited: one is held back before it runs codistill, or its machine or the network is gone. ` +
      "Give the same command again; CODISTILL_START_SECONDS is for how long they are waited for.",
  );
}
