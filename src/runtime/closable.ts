/// <reference lib="esnext.disposable" preserve="true" />

/** What holds something that must be freed: by `close`, or by leaving the block of an `await using`. */
export interface Closable extends AsyncDisposable {
  /** Free what it holds, once what was asked of it before has ended. A second time nothing happens. */
  close(): Promise<void>;
}

/** A resource that `free` frees, once however often it is closed. It is changed and given back, getters and all. */
export function closable<T extends object>(resource: T, free: () => Promise<void>): T & Closable {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= free();
    return closing;
  };
  return Object.assign(resource, { close, [Symbol.asyncDispose]: close });
}
