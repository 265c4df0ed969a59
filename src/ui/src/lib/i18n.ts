// Both languages are one type: what one lacks, the compiler finds.
import { computed, effect } from "@preact/signals";
import { language } from "./prefs";
import { en } from "./strings.en";
import { zh } from "./strings.zh";

export type Strings = typeof en;

export const lang = computed<"en" | "zh">(() =>
  language.value !== "auto" ? language.value : /^zh\b/i.test(globalThis.navigator?.language ?? "") ? "zh" : "en",
);
export const T = (): Strings => (lang.value === "zh" ? zh : en);

/** Why something is told, as the server says it. */
export const reasonText = (reason: string): string => (T().reasons as Record<string, string>)[reason] ?? reason;

effect(() => {
  if (globalThis.document) document.documentElement.lang = lang.value === "zh" ? "zh-CN" : "en";
});
