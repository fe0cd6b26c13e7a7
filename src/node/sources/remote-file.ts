/** The interface of openers of remote files. */
import type { Readable } from "node:stream";

/** An open remote file. */
export interface RemoteFile {
  /** The server's tag of the content; null when it gives none. */
  readonly tag: string | null;
  readonly size: number | null;
  readonly body: Readable;
}

/**
 * Open a remote file; null when it still has the known tag. Rejects with a {@link DataError} when there is no such
 * file.
 */
export type OpenRemote = (url: string, known: string | null, signal?: AbortSignal) => Promise<RemoteFile | null>;
