import { describe, expect, it } from "vitest";
import { isLink, isVolatile, matcher, matches, parseMatchers, printMatcher, printMatchers } from "../src/lib/labels";

describe("matchers", () => {
  const a = matcher("a", "=", "b");
  const c = matcher("c", "!~", 'd,"e');
  it("are read with and without braces, by commas and lines", () => {
    for (const text of ['a="b", c!~"d,\\"e"', 'a="b"\nc!~"d,\\"e"', '{a="b", c!~"d,\\"e",}', 'a=b,\nc!~"d,\\"e"'])
      expect(parseMatchers(text)).toEqual([a, c]);
    for (const text of ["", " \n ", "{}"]) expect(parseMatchers(text)).toEqual([]);
  });
  it("are refused when they are none", () => {
    for (const text of ['a="b" c="d"', "nothing", 'a="b"\nc', 'a="b', '="x"', "{a"]) expect(parseMatchers(text)).toBeNull();
  });
  it("are printed so that they are read again", () => {
    const odd = [matcher("a b", "=", 'x"\\\n'), matcher("é", "=~", "1|2"), matcher("n", "!=", "")];
    expect(parseMatchers(printMatchers(odd))).toEqual(odd);
    expect(printMatcher(a)).toBe('a="b"');
  });
  it("match as the server's do", () => {
    expect(matches([matcher("a", "=~", "b|c")], { a: "c" })).toBe(true);
    expect(matches([matcher("a", "=~", "b")], { a: "bb" })).toBe(false);
    expect(matches([matcher("x", "=", "")], { a: "c" })).toBe(true);
    expect(matches([matcher("a", "!~", "(")], { a: "c" })).toBe(false);
  });
});

describe("text of others", () => {
  it("is a link only to the web", () => {
    for (const s of ["https://a/b?c=d#e", "http://x"]) expect(isLink(s)).toBe(true);
    for (const s of ["javascript:alert(1)", "data:text/html,x", "//a", "https://a b", 'https://a"onclick=', "ftp://a", " https://a"])
      expect(isLink(s)).toBe(false);
  });
  it("names one thing, or a kind of it", () => {
    for (const s of ["uuid", "UUID", "gpu_uuid", "pod", "driver_version"]) expect(isVolatile(s)).toBe(true);
    for (const s of ["gpu", "instance", "alertname", "podium"]) expect(isVolatile(s)).toBe(false);
  });
});
