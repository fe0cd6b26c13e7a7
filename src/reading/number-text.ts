/** The text of numbers: the separator of thousands, the decimal mark, the unit. */

/** A number taken apart: the digits with their marks, and the unit before or behind them. */
interface Amount {
  readonly digits: string;
  readonly unit: string;
  readonly isBracketed: boolean;
  /**
   * Whether it is marked as negative otherwise than by a plain minus in front: by brackets, a minus after it or a
   * typographic minus.
   */
  readonly isOddlySigned: boolean;
}

/** The meaning of the marks in a text of digits. */
export interface Marks {
  readonly decimal: "." | "," | null;
  readonly thousands: "," | "." | " " | "'" | null;
  /** Whether its only mark could be a decimal mark or a separator of thousands, as three digits follow it. */
  readonly isOpen: boolean;
}

/** Spaces that separate thousands: plain, no-break, thin and narrow ones. */
export const SPACES = " \u00a0\u2009\u202f";
export const APOSTROPHES = "'\u2019";
export const MINUSES = "-\u2212";

const CURRENCY =
  "[$€£¥₹₽₩₺₫₪฿₴₦¢]|[A-Z]{1,3}[$]|USD|EUR|GBP|CHF|JPY|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RUB|TRY|BRL|MXN|ZAR|KRW|SGD|HKD|Rs[.]?|kr[.]?|Fr[.]?|zł|Kč|Ft";
/** Units that may follow the digits without a space; other letters there make the text a code. */
const UNITS =
  `${CURRENCY}|[%‰°]|° ?[CF]|[kcmµu]?m|[kmµ]?g|[mc]?l|mi|ft|in|yd|nm|lbs?|oz|h|hrs?|mins?|s|secs?|ms|d|days?|yrs?|years?|wks?|weeks?|months?|` +
  "[kMGT]?W|[kMG]?Wh|[kM]?V|mV|mA|m?Ah|[kMG]?Hz|[kKMGT]i?B|[kMG]b/s|[kMG]bps|px|pt|mph|km/h|kmh|kph|m/s|psi|m?bar|[khM]?Pa|k?cal|k?J|mol|ppm|ppb|" +
  "mmHg|bpm|rpm|dB|lm|lx|ha|sqm|sqft|m²|m³|cc|pcs|k|K|M|bn|mn|[mM]io";
const PREFIX = new RegExp(`^(?:(${CURRENCY}) ?)`);
const SUFFIX = new RegExp(`( ?)(${UNITS})$`);
const WORD = / (\p{L}[\p{L}./²³]{0,14})$/u;

/** Split a text, which may be a shape, into its parts; null where it is not a number with an optional unit. */
export function amountOf(text: string): Amount | null {
  let rest = text.trim().replace(/[\u00a0\u2009\u202f]/g, " ");
  const bracketed = /^\((.*)\)$/.exec(rest);
  if (bracketed) rest = (bracketed[1] ?? "").trim();
  let isOddlySigned = bracketed !== null;
  const takeSign = () => {
    const sign = /^[-+\u2212] ?/.exec(rest);
    if (!sign) return;
    rest = rest.slice(sign[0].length);
    isOddlySigned ||= sign[0][0] === "\u2212";
  };
  takeSign();
  const prefix = PREFIX.exec(rest);
  if (prefix) rest = rest.slice(prefix[0].length);
  takeSign();
  const inner = prefix && /^\((.*)\)$/.exec(rest);
  if (inner) {
    rest = (inner[1] ?? "").trim();
    isOddlySigned = true;
  }
  const trailing = /^(.*[0-9]) ?[-\u2212]$/.exec(rest);
  if (trailing) {
    rest = trailing[1] ?? "";
    isOddlySigned = true;
  }
  const suffix = SUFFIX.exec(rest) ?? WORD.exec(rest);
  if (suffix && /[0-9]/.test(rest.slice(0, suffix.index))) rest = rest.slice(0, suffix.index);
  else if (suffix) return null;
  const behind = suffix ? (suffix[2] ?? suffix[1] ?? "").trim() : "";
  if (prefix && behind !== "") return null;
  if (!/^[0-9.]?[0-9., '\u2019]*$/.test(rest) || !/[0-9]/.test(rest)) return null;
  return { digits: rest.trim(), unit: prefix?.[1] ?? behind, isBracketed: bracketed !== null, isOddlySigned };
}

/** The meaning of the marks between digits; null where no number is written so. */
export function marksOf(digits: string): Marks | null {
  const text = digits.replaceAll("\u2019", "'");
  const marks = [...text.matchAll(/[., ']/g)].map(([mark]) => mark as "." | "," | " " | "'");
  const kinds = [...new Set(marks)];
  const [first, second] = kinds;
  if (first === undefined) return { decimal: null, thousands: null, isOpen: false };
  const isDecimal = (mark: string): mark is "." | "," => mark === "." || mark === ",";
  if (kinds.length === 1) {
    if (marks.length > 1) return isGrouped(text, first) ? { decimal: null, thousands: first, isOpen: false } : null;
    if (!isDecimal(first)) return isGrouped(text, first) ? { decimal: null, thousands: first, isOpen: false } : null;
    return { decimal: first, thousands: null, isOpen: isGrouped(text, first) };
  }
  if (kinds.length > 2 || second === undefined || !isDecimal(second)) return null;
  const [whole = "", ...fractions] = text.split(second);
  if (fractions.length !== 1 || !isGrouped(whole, first)) return null;
  return { decimal: second, thousands: first, isOpen: false };
}

/** Whether digits are grouped by threes, or as in India by twos before the last three. */
function isGrouped(digits: string, mark: string): boolean {
  const [first = "", ...rest] = digits.split(mark);
  if (!/^[0-9]{1,3}$/.test(first) || rest.length === 0) return false;
  if (rest.every((group) => /^[0-9]{3}$/.test(group))) return true;
  const last = rest.at(-1) ?? "";
  return /^[0-9]{1,2}$/.test(first) && last.length === 3 && rest.slice(0, -1).every((group) => group.length === 2);
}
