import type { Told } from "../../lib/api";
import { reasonText, T } from "../../lib/i18n";
import { href } from "../../lib/router";
import { absolute, short } from "../../lib/time";

const classOf = (verdict: string): string =>
  verdict === "delivered" ? "ok" : verdict === "failed" ? "bad" : verdict === "retry" ? "warn" : verdict === "notify" ? "" : "held-text";

/** What was decided and what became of it, a line each. */
export function ToldList({ list, short: isShort = false }: { list: Told[]; short?: boolean }) {
  const t = T().told;
  return (
    <ol class={isShort ? "told short" : "told"}>
      {list.map((n, i) => (
        <li key={i}>
          <time class="num soft" dateTime={n.at} title={absolute(Date.parse(n.at))}>
            {short(Date.parse(n.at))}
          </time>
          <span class={`verdict ${classOf(n.verdict)}`}>{t.verdicts[n.verdict as keyof typeof t.verdicts] ?? n.verdict}</span>
          <span class="about">
            {n.receiver && (
              <a href={href("/notifications", { receiver: n.receiver })}>
                <b>{n.receiver}</b>
              </a>
            )}{" "}
            {n.integration && <small>{n.integration}</small>} {n.firing !== undefined && <span>{t.counts(n.firing, n.resolved ?? 0)}</span>}{" "}
            {n.status ? <span class="num">{n.status}</span> : null}{" "}
            {n.seconds ? (
              <small class="num">{n.seconds < 1 ? `${Math.round(n.seconds * 1000)} ms` : `${n.seconds.toFixed(1)} s`}</small>
            ) : null}{" "}
            {(n.why ?? n.reason) && (
              <span class={n.verdict === "failed" || n.verdict === "retry" ? "bad" : "soft"}>{n.why ?? reasonText(n.reason ?? "")}</span>
            )}{" "}
            {n.by?.map(b => (
              <span key={b} class="mono">
                {/^[0-9a-f-]{36}$/.test(b) ? <a href={href(`/silences/${b}`)}>{b.slice(0, 8)}</a> : b}{" "}
              </span>
            ))}
            {!isShort && (
              <div class="alerts-of">
                <a class="mono soft" href={href("/notifications", { group: n.groupKey })}>
                  {n.groupKey}
                </a>
                {n.alerts?.slice(0, 3).map(a => (
                  <a key={a.fingerprint} class="chip" href={href("/alerts", { alert: a.fingerprint })}>
                    {a.labels?.alertname ?? a.fingerprint}
                  </a>
                ))}
              </div>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
