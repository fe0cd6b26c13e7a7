/**
 * The C API of the ONNX Runtime library that ships inside `onnxruntime-node`, called through koffi.
 *
 * The API is a table of function pointers to which releases only append (`OrtApi` in onnxruntime_c_api.h): a function is
 * known by its place in it, and those of version 1 to 5 that are used here never move.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import koffi, { type LibraryHandle } from "koffi";
import "./telemetry.js";

/** An address: of an object of the library, of memory, or 0 for none. */
export type Pointer = bigint;

/** An argument for a `void *`: an address, or memory whose address is passed. */
type PointerLike = Pointer | ArrayBufferView | null;

/** The first API version that has all functions below. */
const API_VERSION = 5;

const pointer = "void *";
const status = "void *";
const none = "void";

/** Place in the table, result, parameters. */
const functions = {
  GetErrorMessage: [2, "str", [pointer]],
  CreateEnv: [3, status, ["int", "str", pointer]],
  CreateSessionFromArray: [8, status, [pointer, pointer, "size_t", pointer, pointer]],
  Run: [9, status, [pointer, pointer, pointer, pointer, "size_t", pointer, "size_t", pointer]],
  CreateSessionOptions: [10, status, [pointer]],
  SetSessionExecutionMode: [13, status, [pointer, "int"]],
  EnableProfiling: [14, status, [pointer, process.platform === "win32" ? "str16" : "str"]],
  SetSessionLogSeverityLevel: [22, status, [pointer, "int"]],
  SetSessionGraphOptimizationLevel: [23, status, [pointer, "int"]],
  SetIntraOpNumThreads: [24, status, [pointer, "int"]],
  SetInterOpNumThreads: [25, status, [pointer, "int"]],
  CreateRunOptions: [39, status, [pointer]],
  RunOptionsSetRunLogSeverityLevel: [41, status, [pointer, "int"]],
  RunOptionsSetTerminate: [46, status, [pointer]],
  RunOptionsUnsetTerminate: [47, status, [pointer]],
  CreateTensorWithDataAsOrtValue: [49, status, [pointer, pointer, "size_t", pointer, "size_t", "int", pointer]],
  GetTensorMutableData: [51, status, [pointer, pointer]],
  GetTensorElementType: [60, status, [pointer, pointer]],
  GetDimensionsCount: [61, status, [pointer, pointer]],
  GetDimensions: [62, status, [pointer, pointer, "size_t"]],
  GetTensorTypeAndShape: [65, status, [pointer, pointer]],
  CreateCpuMemoryInfo: [69, status, ["int", "int", pointer]],
  AllocatorFree: [76, status, [pointer, pointer]],
  GetAllocatorWithDefaultOptions: [78, status, [pointer]],
  ReleaseStatus: [93, none, [pointer]],
  ReleaseSession: [95, none, [pointer]],
  ReleaseValue: [96, none, [pointer]],
  ReleaseRunOptions: [97, none, [pointer]],
  ReleaseTensorTypeAndShapeInfo: [99, none, [pointer]],
  ReleaseSessionOptions: [100, none, [pointer]],
  SessionEndProfiling: [110, status, [pointer, pointer, pointer]],
  AddSessionConfigEntry: [130, status, [pointer, "str", "str"]],
  AddRunConfigEntry: [165, status, [pointer, "str", "str"]],
} as const;

type FunctionName = keyof typeof functions;
type ReleaseName = FunctionName & `Release${string}`;
type Argument = PointerLike | number | string | readonly string[];
type Result = Pointer | string | null;
type Call = ((...args: Argument[]) => Result) & {
  /** Call the function on a thread of the pool. */
  async(...args: [...Argument[], (error: unknown, result: Result) => void]): void;
};

/** The functions, with their statuses checked, and the objects that all engines of a thread share. */
export interface CApi {
  /** Call a function; a status that says something failed is thrown as an Error with its message, and released. */
  call(name: Exclude<FunctionName, ReleaseName>, ...args: Argument[]): void;
  /** Call a function that releases an object. */
  release(name: ReleaseName, object: Pointer): void;
  /** Call a function that writes one object, address or count to its last parameter; returns that. */
  make(name: Exclude<FunctionName, ReleaseName>, ...args: Argument[]): Pointer;
  /** Like `make`, on a thread of the pool. Until it is done, arguments must stay referred to and unchanged. */
  makeInBackground(name: Exclude<FunctionName, ReleaseName>, ...args: Argument[]): Promise<Pointer>;
  readonly env: Pointer;
  readonly cpu: Pointer;
  readonly allocator: Pointer;
}

let loaded: CApi | undefined;
/** Never released: koffi would unload a library whose handle is collected, even while its code runs. */
let library: LibraryHandle | undefined;

/** Load the library, once for each thread. Throws what koffi throws when the library is missing or a wrong one. */
export function cApi(): CApi {
  loaded ??= load();
  return loaded;
}

/** Address of the first byte of memory, which stays there as long as the memory is referred to. */
export function addressOf(memory: ArrayBufferView): Pointer {
  return koffi.address(memory);
}

/** Memory at an address, as a buffer that does not own it. */
export function memoryAt(address: Pointer, bytes: number): ArrayBuffer {
  return bytes === 0 ? new ArrayBuffer(0) : koffi.view(address, bytes);
}

/** Where `onnxruntime-node` has its library for this platform. */
function libraryPath(): string {
  const names: Readonly<Record<string, string>> = { darwin: "libonnxruntime.1.dylib", win32: "onnxruntime.dll" };
  const name = names[process.platform] ?? "libonnxruntime.so.1";
  const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  return join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch, name);
}

function load(): CApi {
  library = koffi.load(libraryPath());
  const base = library.func("OrtGetApiBase", pointer, [])() as Pointer;
  const [getApi] = koffi.decode(base, koffi.array(pointer, 1)) as Pointer[];
  const api = koffi.call(getApi, koffi.proto(pointer, ["uint32_t"]), API_VERSION) as Pointer | null;
  if (!api) throw new Error(`the library has no C API of version ${API_VERSION}`);
  const numPlaces = 1 + Math.max(...Object.values(functions).map(([place]) => place));
  const table = koffi.decode(api, koffi.array(pointer, numPlaces)) as Pointer[];
  const calls = Object.fromEntries(
    Object.entries(functions).map(([name, [place, result, parameters]]) => [
      name,
      koffi.decode(table[place], koffi.proto(result, [...parameters])) as Call,
    ]),
  ) as Record<FunctionName, Call>;

  /** Throws the error of a status. */
  const check = (failed: Result) => {
    if (!failed) return;
    const message = calls.GetErrorMessage(failed) as string;
    calls.ReleaseStatus(failed as Pointer);
    throw new Error(message);
  };
  const call: CApi["call"] = (name, ...args) => check(calls[name](...args));
  const make: CApi["make"] = (name, ...args) => {
    const result = new BigUint64Array(1);
    call(name, ...args, result);
    return result[0] as Pointer;
  };
  const makeInBackground: CApi["makeInBackground"] = async (name, ...args) => {
    const result = new BigUint64Array(1);
    const failed = await new Promise<Result>((resolve, reject) => {
      calls[name].async(...args, result, (error, status) => (error ? reject(error) : resolve(status)));
    });
    check(failed);
    return result[0] as Pointer;
  };
  return {
    call,
    make,
    makeInBackground,
    release: (name, object) => {
      calls[name](object);
    },
    env: make("CreateEnv", LOG_ERRORS, "codistill"),
    cpu: make("CreateCpuMemoryInfo", DEVICE_ALLOCATOR, DEFAULT_MEMORY),
    allocator: make("GetAllocatorWithDefaultOptions"),
  };
}

export const LOG_ERRORS = 3;
/** The log level of runs whose errors are thrown anyway. */
export const LOG_FATAL = 4;
const DEVICE_ALLOCATOR = 0;
const DEFAULT_MEMORY = 0;
