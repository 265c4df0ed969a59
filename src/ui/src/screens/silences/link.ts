import { type Labels, type Matcher, matcher, printMatchers } from "../../lib/labels";
import { href } from "../../lib/router";

/** To the form, filled in with these. */
export const silenceHref = (ms: Matcher[], from?: "alert"): string =>
  href("/silences/new", { filter: printMatchers(ms), from: from ?? null });

export const matchersOf = (labels: Labels): Matcher[] => Object.entries(labels).map(([n, v]) => matcher(n, "=", v));
