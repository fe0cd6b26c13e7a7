/** The tables of `npm run study:tables`, chosen by their shapes before any was trained on; all come with packages. */
import { InvalidArgumentError } from "commander";
import { nearest } from "../../src/nearest.js";

/** Where a table comes from. */
export type Origin =
  /** A file of the npm package vega-datasets; `rows` is SQL for a part of it, over the table `file`. */
  | { readonly npm: "vega-datasets"; readonly file: string; readonly rows?: string }
  /** A data frame of a Debian package of R: an expression of R over the package's data. */
  | { readonly debian: `r-cran-${string}`; readonly library: string; readonly frame: string };

/** A table, and what a data scientist would say of it on the command line. */
export interface Table {
  readonly name: string;
  /** What makes it different from the others, in a few words. */
  readonly what: string;
  readonly origin: Origin;
  /** A column, or SQL over a row. */
  readonly label: string;
  /** A label of few numbers that is a quantity all the same. */
  readonly task?: "regression";
  /** Columns that are names, though numbers write them. */
  readonly names?: readonly string[];
  /** Columns that are known only after the label is, or only number the rows. */
  readonly ignore?: readonly string[];
  /** The column by which it is split into the past and what came later. */
  readonly time?: string;
  /** How it is split. */
  readonly splits: readonly SplitKind[];
}

export type SplitKind = "random" | "time";

const vega = (file: string, rows?: string): Origin => ({
  npm: "vega-datasets",
  file,
  ...(rows !== undefined && { rows }),
});
const r = (library: string, frame: string): Origin => ({
  debian: `r-cran-${library.toLowerCase()}`,
  library,
  frame,
});

const EVERY_EIGHTH = "select * exclude (n) from (select *, row_number() over () as n from file) where n % 8 = 0";
/** Seconds since 1970 as a time, so that both sides are told that it is one. */
const RATED = 'transform(movielens, timestamp = as.POSIXct(timestamp, origin = "1970-01-01", tz = "UTC"))';

export const tables: readonly Table[] = [
  {
    name: "flights",
    what: "375,000 rows (every eighth), times, hundreds of names; was it late?",
    origin: vega("flights-3m.parquet", EVERY_EIGHTH),
    label: "delay >= 15",
    time: "date",
    splits: ["random", "time"],
  },
  {
    name: "film ratings",
    what: "100,004 ratings of 9,066 films by 671 people, times",
    origin: r("dslabs", RATED),
    label: "rating",
    task: "regression",
    names: ["userId", "movieId"],
    time: "timestamp",
    splits: ["random", "time"],
  },
  {
    name: "lecture ratings",
    what: "73,421 ratings of 1,128 lecturers by 2,972 students: names alone",
    origin: r("lme4", "InstEval"),
    label: "y",
    task: "regression",
    names: ["s", "d", "studage", "lectage", "service", "dept"],
    splits: ["random"],
  },
  {
    name: "diamonds",
    what: "53,940 rows, a number, names in an order",
    origin: r("ggplot2", "diamonds"),
    label: "ln(price)",
    splits: ["random"],
  },
  {
    name: "police stops",
    what: "51,920 rows, places, times; a traffic stop, or a suspicion?",
    origin: r("carData", "MplsStops"),
    label: "problem",
    ignore: ["idNum", "citationIssued", "personSearch", "vehicleSearch", "preRace", "race", "gender", "MDC"],
    time: "date",
    splits: ["random", "time"],
  },
  {
    name: "zip codes",
    what: "42,049 rows, 53 classes, 19,000 cities",
    origin: vega("zipcodes.csv"),
    label: "state",
    splits: ["random"],
  },
  {
    name: "wages",
    what: "28,155 rows, a number, few columns, much noise",
    origin: r("AER", "CPS1988"),
    label: "ln(wage)",
    splits: ["random"],
  },
  {
    name: "letters",
    what: "20,000 rows, 26 classes, 16 whole numbers",
    origin: r("mlbench", "LetterRecognition"),
    label: "lettr",
    splits: ["random"],
  },
  {
    name: "bird strikes",
    what: "10,000 rows, mostly names, missing values, one in ten is yes, times",
    origin: vega("birdstrikes.csv"),
    label: "\"Effect Amount of damage\" != 'None'",
    ignore: ["Cost Other", "Cost Repair", "Cost Total $"],
    time: "Flight Date",
    splits: ["random", "time"],
  },
  {
    name: "loans",
    what: "9,857 rows, numbers and names, one in twenty is bad",
    origin: r("modeldata", "lending_club"),
    label: "Class",
    splits: ["random"],
  },
  {
    name: "caravans",
    what: "9,822 customers, 85 columns, one in seventeen is yes",
    origin: r("kernlab", "ticdata"),
    label: "CARAVAN",
    splits: ["random"],
  },
  {
    name: "satellite",
    what: "6,435 rows, 36 numbers, 6 classes",
    origin: r("mlbench", "Satellite"),
    label: "classes",
    splits: ["random"],
  },
  {
    name: "trains",
    what: "5,698 days, a number, 48 numbers of the past, times",
    origin: r("modeldata", "Chicago"),
    label: "ridership",
    time: "date",
    splits: ["time"],
  },
  {
    name: "spam",
    what: "4,601 rows, 57 numbers with long tails",
    origin: r("kernlab", "spam"),
    label: "type",
    splits: ["random"],
  },
  {
    name: "credit",
    what: "4,454 rows, numbers and names, missing values",
    origin: r("modeldata", "credit_data"),
    label: "Status",
    splits: ["random"],
  },
  {
    name: "movies",
    what: "3,201 rows, a number, long tails, half of many columns missing",
    origin: vega("movies.json"),
    label: '"IMDB Rating"',
    splits: ["random"],
  },
  {
    name: "genes",
    what: "3,186 rows, 180 columns of 0 and 1, 3 classes",
    origin: r("mlbench", "DNA"),
    label: "Class",
    splits: ["random"],
  },
  {
    name: "houses",
    what: "2,930 rows, 73 columns, half of them names, a number",
    origin: r("modeldata", "ames"),
    label: "ln(Sale_Price)",
    splits: ["random"],
  },
  {
    name: "weather",
    what: "1,461 days, 5 classes, times",
    origin: vega("seattle-weather.csv"),
    label: "weather",
    time: "date",
    splits: ["random", "time"],
  },
  {
    name: "diabetes",
    what: "768 rows, 8 numbers, missing values",
    origin: r("mlbench", "PimaIndiansDiabetes2"),
    label: "diabetes",
    splits: ["random"],
  },
  {
    name: "soybeans",
    what: "683 rows, 19 classes, names, missing values",
    origin: r("mlbench", "Soybean"),
    label: "Class",
    splits: ["random"],
  },
  {
    name: "Boston",
    what: "506 rows, 13 numbers, a number",
    origin: r("mlbench", "BostonHousing"),
    label: "medv",
    splits: ["random"],
  },
  {
    name: "penguins",
    what: "344 rows, 3 classes, missing values",
    origin: vega("penguins.json"),
    label: "Species",
    splits: ["random"],
  },
];

/** The tables of a list of names, parted by commas. Throws {@link InvalidArgumentError} for an unknown one. */
export function tablesNamed(list: string): readonly Table[] {
  const names = tables.map(({ name }) => name);
  return list.split(",").map((given) => {
    const known = tables.find(({ name }) => name === given.trim());
    if (known) return known;
    const near = nearest(given, names);
    throw new InvalidArgumentError(
      `must be of ${names.join(", ")}, got ${given}${near === undefined ? "" : `. Did you mean ${near}?`}`,
    );
  });
}
