/** The report of each kind of study. */
import type { Page } from "../report/page/blocks.js";
import { type ComparisonFacts, comparisonPage } from "./comparison-page.js";
import type { Measured } from "./outcome.js";
import type { Study } from "./study.js";

const pages: { readonly [K in Study["kind"]]: (facts: ComparisonFacts, measured: Measured) => Page } = {
  compare: comparisonPage,
  churn: comparisonPage,
};

/** The report of a study. */
export function studyPage(facts: ComparisonFacts, measured: Measured): Page {
  return pages[facts.study.kind](facts, measured);
}
