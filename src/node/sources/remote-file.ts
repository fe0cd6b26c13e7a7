/** A file that is elsewhere, opened. */
import type { Readable } from "node:stream";

/** A file elsewhere, if it is not the one whose tag is known. */
export interface RemoteFile {
  /** Told apart by the server for every content. */
  readonly tag: string | null;
  readonly size: number | null;
  readonly body: Readable;
}

/** Open a file elsewhere; null when it is the one with the tag. Rejects with a {@link DataError} when there is none. */
export type OpenRemote = (url: string, known: string | null, signal?: AbortSignal) => Promise<RemoteFile | null>;
