/** Stores by their address: the one place that knows which kinds there are. */
import { resolve } from "node:path";
import type { Store } from "../../checkpoint/store.js";
import { ConfigError } from "../../errors.js";
import { withoutSecrets } from "../../report/secrets.js";
import { pathOfFileUrl } from "../files/addresses.js";
import { directoryStore } from "./directory-store.js";

/** A kind of store. */
export interface StoreKind {
  /** The form of its addresses, in words for users. */
  readonly shown: string;
  /**
   * An address in the form that a run stores: the same store from every working folder. Throws {@link ConfigError} when
   * it is invalid.
   */
  located(address: string): string;
  /** The store at an address that {@link located} gave; `mayChange` throws to forbid a change. */
  open(located: string, mayChange?: () => void): Store | Promise<Store>;
}

/** A folder that all groups reach, by its path. */
const folder: StoreKind = { shown: "a path", located: (path) => resolve(path), open: directoryStore };

/** The kinds by the scheme, in lower case, of their addresses; an address without a scheme is a path. */
const kinds: ReadonlyMap<string, StoreKind> = new Map([
  ["file", { shown: "file:///<path>", located: pathOfFileUrl, open: directoryStore }],
]);

/**
 * The scheme of an address, which begins like that of a URL: at least two letters, digits and signs up to a colon in
 * the first part, so that a drive of Windows is none. Beyond URLs it may hold `@` and `_`, so that `user@host:folder`
 * of other programs is not taken for a folder here.
 */
const SCHEME = /^([a-z][\w+.@-]+):/i;

/**
 * The address of a store in the form that a run stores: absolute. A path and its `file:` URL give the same.
 *
 * Throws {@link ConfigError} when it is empty, or of an unknown kind.
 */
export function locatedStore(given: string): string {
  return kindOf(given).located(given);
}

/**
 * Open the store at an address that a user or {@link locatedStore} gave. `mayChange` is called right before a value is put in place
 * or removed, and throws to forbid it. Nothing is made before something is written.
 *
 * @throws ConfigError when the address is empty, or of no kind that is known
 * @example
 * import { openStore } from "codistill/node";
 * const store = await openStore("shared/flights");
 * console.log(await store.list("groups/"));
 */
export async function openStore(address: string, mayChange?: () => void): Promise<Store> {
  return kindOf(address).open(locatedStore(address), mayChange);
}

function kindOf(address: string): StoreKind {
  if (address === "") throw new ConfigError(`a store must be ${shownKinds()}, got an empty name`);
  const scheme = SCHEME.exec(address)?.[1];
  if (scheme === undefined) return folder;
  const kind = kinds.get(scheme.toLowerCase());
  if (kind) return kind;
  throw new ConfigError(
    `a store must be ${shownKinds()}, got ${withoutSecrets(address)}, and no store of kind "${scheme}:" is known. ` +
      "Name a folder that all groups reach, as on NFS; one whose name begins so is written with ./ before it.",
  );
}

function shownKinds(): string {
  return [folder, ...kinds.values()].map(({ shown }) => shown).join(" or ");
}
