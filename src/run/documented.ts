/** Proof by types that options are documented as they are checked. */
import type { z } from "zod";

/** True, if the schema takes exactly the documented options; else a sentence, which true is not. */
export type IsDocumented<Schema extends z.ZodType, Input> =
  Same<Readable<z.input<Schema>>, Readable<Input>> extends true
    ? true
    : "the schema must take what its documented options say, and nothing else";

/** The schema's type, if the schema takes exactly the documented options; else the sentence, which no schema is. */
export type Documented<Schema extends z.ZodType, Input> =
  IsDocumented<Schema, Input> extends true ? Schema : IsDocumented<Schema, Input>;

/** A type with all its lists read-only, as a configuration is never changed. */
type Readable<T> = T extends readonly (infer E)[]
  ? readonly Readable<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Readable<T[K]> }
    : T;
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
