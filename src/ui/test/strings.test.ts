import { describe, expect, it } from "vitest";
import { en } from "../src/lib/strings.en";
import { zh } from "../src/lib/strings.zh";

type Leaf = [path: string, value: unknown];
const leaves = (o: object, path = ""): Leaf[] =>
  Object.entries(o).flatMap(([k, v]) =>
    v !== null && typeof v === "object" ? leaves(v as object, `${path}.${k}`) : [[`${path}.${k}`, v] as Leaf],
  );
const say = (v: unknown): string => (typeof v === "function" ? String((v as (...a: unknown[]) => unknown)(3, 2, 1)) : String(v));

const SAME = new Set([".locale"]);

describe("both languages", () => {
  const [e, z] = [leaves(en), leaves(zh)];
  it("have the same texts", () => {
    expect(z.map(([p]) => p)).toEqual(e.map(([p]) => p));
    expect(z.map(([, v]) => typeof v)).toEqual(e.map(([, v]) => typeof v));
  });
  it("say all of them", () => {
    const english = new Map(e);
    const missing = z.filter(
      ([p, v]) => !SAME.has(p) && (say(v).trim() === "" || say(v) === say(english.get(p)) || !/[\u3400-\u9fff]/.test(say(v))),
    );
    expect(missing.map(([p, v]) => `${p}: ${say(v)}`)).toEqual([]);
  });
  it("use what they are given", () => {
    const lost = z.filter(([p, v]) => typeof v === "function" && !/[123]/.test(say(v)) && !/wouldHide$/.test(p));
    expect(lost.map(([p]) => p)).toEqual([]);
  });
});
