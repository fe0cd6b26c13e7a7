/**
 * The numbers and addresses that stand for communicators, types and sums, which each family of MPI libraries has for itself. From
 * the headers mpi.h of Open MPI 4 and MPICH 4, and of the standard ABI of MPI 5.0.
 */
export type Family = "openmpi" | "mpich" | "abi";

/** The address of a symbol of a loaded library. */
export type SymbolAddress = (name: string) => bigint;

/** A handle, as a call takes it: an address, or a whole number. */
export type Handle = bigint | number;

export interface Handles {
  /** The type of a handle in C, for koffi. */
  readonly type: "int" | "uintptr_t";
  /** Memory for a handle that a call gives back. */
  readonly room: () => Int32Array | BigUint64Array;
  readonly world: Handle;
  readonly float: Handle;
  readonly double: Handle;
  readonly byte: Handle;
  readonly errorsReturn: Handle;
  /** In the place of a buffer: the one that receives also sends. */
  readonly inPlace: bigint;
  readonly statusIgnore: bigint | null;
  /** That one thread at a time calls the library. */
  readonly serialized: number;
}

const addressSized = { type: "uintptr_t", room: () => new BigUint64Array(1) } as const;

/** The handles of a loaded library. */
export const handlesOf: { readonly [F in Family]: (symbol: SymbolAddress) => Handles } = {
  openmpi: (symbol) => ({
    ...addressSized,
    world: symbol("ompi_mpi_comm_world"),
    float: symbol("ompi_mpi_float"),
    double: symbol("ompi_mpi_double"),
    byte: symbol("ompi_mpi_byte"),
    errorsReturn: symbol("ompi_mpi_errors_return"),
    inPlace: 1n,
    statusIgnore: null,
    serialized: 2,
  }),
  mpich: () => ({
    type: "int",
    room: () => new Int32Array(1),
    world: 0x44000000,
    float: 0x4c00040a,
    double: 0x4c00080b,
    byte: 0x4c00010d,
    errorsReturn: 0x54000001,
    inPlace: 0xffffffffffffffffn,
    statusIgnore: 1n,
    serialized: 2,
  }),
  abi: () => ({
    ...addressSized,
    world: 0x101,
    float: 0x210,
    double: 0x214,
    byte: 0x247,
    errorsReturn: 0x143,
    inPlace: 1n,
    statusIgnore: null,
    serialized: 2048,
  }),
};

/** The family of a library, by what it says of itself; null for one that is not known. */
export function familyOf(version: string, path: string): Family | null {
  if (/open mpi/i.test(version)) return "openmpi";
  if (/libmpi_abi/.test(path)) return "abi";
  return /mpich|intel|mvapich|cray/i.test(version) ? "mpich" : null;
}
