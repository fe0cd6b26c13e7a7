/** Proof by types that options are documented as they are checked. */
import type { z } from "zod";

/**
 * The schema's type, if the schema takes exactly the documented options; else a sentence, so that its use does not
 * compile.
 */
export type Documented<Schema extends z.ZodType, Input> =
  Same<Readable<z.input<Schema>>, Readable<Input>> extends true
    ? Schema
    : "the schema must take what its documented options say, and nothing else";

/** A type with all its lists read-only, as a configuration is never changed. */
type Readable<T> = T extends readonly (infer E)[]
  ? readonly Readable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Readable<T[K]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
