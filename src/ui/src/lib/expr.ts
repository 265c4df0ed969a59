// What of a rule's expression is drawn: the left side of its last comparison, and the number on the right as the threshold.

export interface Drawn {
  expr: string;
  threshold: number | null;
  op: string; // of the comparison; empty without one
}

const COMPARISON = /^([\s\S]+?)\s*(>=|<=|==|!=|>|<)\s*(?:bool\s+)?([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i;

function isTopLevel(expr: string): boolean {
  let depth = 0;
  let quoted = "";
  for (let i = 0; i < expr.length; i++) {
    const c = expr[i] ?? "";
    if (quoted) {
      if (c === "\\" && quoted !== "`") i++;
      else if (c === quoted) quoted = "";
    } else if (c === '"' || c === "'" || c === "`") quoted = c;
    else if ("([{".includes(c)) depth++;
    else if (")]}".includes(c)) depth--;
    if (depth < 0) return false;
  }
  return depth === 0 && !quoted;
}

export function drawn(expr: string): Drawn {
  const m = COMPARISON.exec(expr.trim());
  const left = m?.[1];
  if (!m || !left || !isTopLevel(left) || /\b(and|or|unless)\b/i.test(left)) return { expr, threshold: null, op: "" };
  return { expr: left.trim(), threshold: Number(m[3]), op: m[2] ?? "" };
}

/** The expression in a link of Prometheus' kind: "/graph?g0.expr=...". */
export function exprOfLink(url: string | undefined): string | null {
  if (!url) return null;
  const at = url.indexOf("?");
  return at < 0 ? null : new URLSearchParams(url.slice(at + 1)).get("g0.expr");
}
