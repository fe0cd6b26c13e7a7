/// <reference lib="esnext.disposable" preserve="true" />

/** A resource that must be freed, by `close` or by leaving the block of an `await using`. */
export interface Closable extends AsyncDisposable {
  /** Free the resource after the calls made before have ended. A second call does nothing more. */
  close(): Promise<void>;
}

/**
 * Add closing to a resource: `free` runs once, however often it is closed. Changes and returns the object itself, so
 * that its getters are kept.
 */
export function closable<T extends object>(resource: T, free: () => Promise<void>): T & Closable {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= free();
    return closing;
  };
  return Object.assign(resource, { close, [Symbol.asyncDispose]: close });
}
