/** The report of each kind of study. */
import type { Page } from "../report/page/blocks.js";
import { churnPage } from "./churn-page.js";
import { comparisonPage } from "./comparison-page.js";
import type { ComparisonFacts } from "./facts-blocks.js";
import type { Measured } from "./outcome.js";
import type { Study } from "./study.js";
import { sweepPage } from "./sweep-page.js";

const pages: { readonly [K in Study["kind"]]: (facts: ComparisonFacts, measured: Measured) => Page } = {
  compare: comparisonPage,
  churn: churnPage,
  sweep: sweepPage,
};

/** The report of a study. */
export function studyPage(facts: ComparisonFacts, measured: Measured): Page {
  return pages[facts.study.kind](facts, measured);
}
