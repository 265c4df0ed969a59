import type { Explanation, V2Alert } from "../../lib/api";

const escaped = (s: string): string => s.replace(/[\\`*_[\]<>|#]/g, "\\$&").replace(/\n/g, " ");

/** The alert as a message for a chat or an issue. */
export function markdown(x: Explanation, alert: V2Alert | null): string {
  const lines = [`**${escaped(x.labels.alertname ?? "alert")}** (${x.state}${x.startsAt ? ` since ${x.startsAt}` : ""})`, ""];
  for (const [n, v] of Object.entries(alert?.annotations ?? {})) lines.push(`- ${escaped(n)}: ${/^https?:/.test(v) ? v : escaped(v)}`);
  lines.push(
    "",
    Object.entries(x.labels)
      .map(([n, v]) => `\`${n}=${v.replace(/`/g, "'")}\``)
      .join(" "),
  );
  for (const r of x.routes) for (const i of r.integrations) lines.push("", `- ${escaped(r.receiver)}: ${escaped(i.text)}`);
  return `${lines.join("\n").trim()}\n`;
}
