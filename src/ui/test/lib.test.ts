import { describe, expect, it } from "vitest";
import type { BoardGroup } from "../src/lib/api";
import { drawn, exprOfLink } from "../src/lib/expr";
import { shareGroup } from "../src/lib/share";
import { countdown, parseSpan, span } from "../src/lib/time";
import { shortValue } from "../src/lib/value";
import { markdown } from "../src/screens/alert/markdown";
import { boardQuery, readState } from "../src/screens/alerts/state";

describe("what is drawn of a rule", () => {
  it("is the left side, with the threshold", () => {
    expect(drawn("a / b > 0.5")).toEqual({ expr: "a / b", threshold: 0.5, op: ">" });
    expect(drawn('up{x=">1"} == 0')).toEqual({ expr: 'up{x=">1"}', threshold: 0, op: "==" });
    expect(drawn("rate(x[5m]) <= 1e-3")).toEqual({ expr: "rate(x[5m])", threshold: 0.001, op: "<=" });
  });
  it("is all of it when that is not so simple", () => {
    for (const expr of ["a > 1 and b > 2", "sum(a > 1)", "a", "a > b", "(a > 1"])
      expect(drawn(expr)).toEqual({ expr, threshold: null, op: "" });
  });
  it("is in the link of a rule", () => {
    expect(exprOfLink("http://x/graph?g0.expr=up%20%3D%3D%200&g0.tab=1")).toBe("up == 0");
    expect(exprOfLink("http://x/other")).toBeNull();
    expect(exprOfLink(undefined)).toBeNull();
  });
});

describe("times", () => {
  it("are said in units", () => {
    expect([span(5_000), span(-61_000), span(3_720_000), span(90_000_000)]).toEqual(["5 s", "1 min", "1 h 2 min", "1 d 1 h"]);
    expect([countdown(131_000), countdown(-5), countdown(3_723_000)]).toEqual(["2:11", "0:00", "1:02:03"]);
  });
  it("are read", () => {
    expect(parseSpan("1d12h")).toBe(129_600_000);
    for (const bad of ["", "2", "h", "2x"]) expect(parseSpan(bad)).toBeNaN();
  });
});

describe("a group that changes", () => {
  const group = (next: string, value: string) =>
    ({
      key: "k",
      nextFlush: next,
      shared: { a: "b" },
      sharedAnnotations: {},
      alerts: [
        { fingerprint: "1", value: "7" },
        { fingerprint: "2", value },
      ],
    }) as unknown as BoardGroup;
  it("keeps what has not", () => {
    const old = group("t", "1");
    expect(shareGroup(old, group("t", "1"))).toBe(old);
    const now = shareGroup(old, group("u", "2"));
    expect([now.nextFlush, now.alerts[1]?.value]).toEqual(["u", "2"]);
    expect(now.alerts[0]).toBe(old.alerts[0]);
    expect(now.shared).toBe(old.shared);
  });
});

describe("values", () => {
  it("have four digits", () => {
    expect(["5.2e+01", "1.23456789", "0.1", "+Inf", "NaN", "n/a", "", "1234567890"].map(shortValue)).toEqual([
      "52",
      "1.235",
      "0.1",
      "+Inf",
      "NaN",
      "n/a",
      "",
      "1235000000",
    ]);
  });
});

describe("the URL of alerts", () => {
  it("means what it means in Alertmanager's page", () => {
    const s = readState(new URLSearchParams('silenced=false&inhibited=false&filter={a="b"}&receiver=r'));
    expect(s.states).toEqual(["firing"]);
    expect(boardQuery(s, 50, 0)).toBe("filter=a%3D%22b%22&receiver=r&state=firing&limit=50");
  });
  it("keeps what cannot be read", () => {
    expect(readState(new URLSearchParams("filter=nothing")).bad).toBe("nothing");
  });
});

describe("an alert as a message", () => {
  it("has no markup of others", () => {
    const text = markdown(
      { labels: { alertname: "A*b*", x: "`c`" }, fingerprint: "1", state: "firing", silencedBy: [], inhibitedBy: [], routes: [], path: [] },
      { annotations: { summary: "[x](http://evil) <b>" } } as unknown as Parameters<typeof markdown>[1],
    );
    expect(text).toContain("A\\*b\\*");
    expect(text).toContain("\\[x\\](http://evil) \\<b\\>");
    expect(text).toContain("`x='c'`");
  });
});
