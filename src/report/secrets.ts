/**
 * Removes secrets from addresses: user and password, tokens, keys and signatures. All text that leaves the program
 * passes through here: logs, messages, and the files of a run and of a cache that name a source. The parts that
 * identify a source stay.
 */

/** The text that replaces a secret. */
const HIDDEN = "***";

const ADDRESS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>\\]+/gi;
/** Everything before the last @ of the part that names the host. */
const USER = /^([^:]+:\/\/)[^/?#]*@/;
/** A parameter of a path, and one of a query or a fragment, where a value may hold a slash. */
const IN_PATH = /(;)([^=;/]+)=([^;/]*)/g;
const IN_QUERY = /([?&;#])([^=?&;#]+)=([^?&;#]*)/g;
/** JSON web tokens, wherever they stand. */
const WEB_TOKEN = /eyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?/g;

const SECRET_PARTS = /token|secret|passw|pwd|passphrase|signature|credential|auth|session|jwt|bearer|apikey|hmac/;
const SECRET_NAMES =
  /^(sig|pass|pw|code|sas|sid|pin|otp|nonce|ticket|access|assertion|x-(amz|goog|oss|cos|ms|obs|tos)-.*)$/;
const KEY = /(^|[^a-z])keys?$|key(-?id|pairid)?$/;
/** Values that look random: long, with letters of both cases and digits, or of hexadecimal digits. */
const RANDOM = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[\w+/=-]{24,}$|^[0-9a-fA-F]{32,}$/;

/** A text in which no address holds a secret. */
export function withoutSecrets(text: string): string {
  return text.includes("://") ? text.replace(ADDRESS, publicAddress) : text;
}

/** A record with the secrets removed from all its strings. */
export function recordWithoutSecrets<T>(value: T): T {
  if (typeof value === "string") return withoutSecrets(value) as T;
  if (Array.isArray(value)) return value.map(recordWithoutSecrets) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, recordWithoutSecrets(part)])) as T;
}

/** Whether an address lost its secrets, and is of no use to fetch something. */
export function hidesSecrets(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/(\*\*\*@|.*[/=]\*\*\*)/i.test(address);
}

function publicAddress(address: string): string {
  const [path = ""] = address.split(/[?#]/);
  const hidden = (whole: string, mark: string, name: string, value: string) =>
    isSecret(decoded(name), decoded(value)) ? `${mark}${name}=${HIDDEN}` : whole;
  const shown = path.replace(USER, `$1${HIDDEN}@`).replace(IN_PATH, hidden);
  return (shown + address.slice(path.length).replace(IN_QUERY, hidden)).replace(WEB_TOKEN, HIDDEN);
}

function isSecret(given: string, value: string): boolean {
  const name = given.toLowerCase().replaceAll("_", "-");
  return SECRET_PARTS.test(name.replaceAll("-", "")) || SECRET_NAMES.test(name) || KEY.test(name) || RANDOM.test(value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
