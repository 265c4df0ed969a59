import type { ExplainRoute, Explanation } from "../../lib/api";
import { lang, reasonText, T } from "../../lib/i18n";
import { href } from "../../lib/router";
import { short } from "../../lib/time";
import { Ago } from "../../parts/Ago";

/** What the server says of an integration, and when it is told next. */
function Outcome({ route }: { route: ExplainRoute }) {
  const t = T().alert;
  return (
    <>
      {route.mutedBy.length > 0 && <li class="no">{t.mutedBy(route.mutedBy.join(", "))}</li>}
      {route.outsideActive.length > 0 && <li class="no">{t.outsideActive(route.outsideActive.join(", "))}</li>}
      {route.integrations.map(i => (
        <li key={`${i.integration}${i.index}`} class={/told|sending/.test(i.verdict) ? "yes" : "no"}>
          <b>{route.receiver}</b> <small>{i.integration}</small>: {t.verdicts[i.verdict as keyof typeof t.verdicts] ?? i.verdict}
          {i.lastSentAt && (
            <>
              {" "}
              (<Ago at={i.lastSentAt} />)
            </>
          )}
          {lang.value === "zh" && i.waitsFor && (
            <div class="soft">
              {t.waits[i.waitsFor]} {i.waitsUntil && <Ago at={i.waitsUntil} />}
            </div>
          )}
          {(lang.value === "en" || i.verdict === "retrying") && <div class="soft">{i.text}</div>}
        </li>
      ))}
    </>
  );
}

export function Why({ x }: { x: Explanation }) {
  const t = T().alert;
  const next = x.routes.flatMap(r => r.integrations.filter(i => i.nextAt).map(i => ({ r, i, at: i.nextAt ?? "" })));
  next.sort((a, b) => a.at.localeCompare(b.at));
  return (
    <>
      <h3>{t.why}</h3>
      <ol class="path">
        {x.path.map((p, i) => (
          <li key={i} class={p.verdict === "fails" || p.verdict === "not tried" ? "no" : "yes"}>
            <span class="indent">{"› ".repeat(p.depth)}</span>
            {t.route} <b>{p.receiver}</b> <span class="mono">{p.matchers === "{}" ? "" : p.matchers}</span>: {t.path[p.verdict]}
            {p.failed && <span class="mono"> {p.failed}</span>}
          </li>
        ))}
        {x.silencedBy.map(s => (
          <li key={s.id} class="no">
            {t.silenced(s.createdBy)} <a href={href(`/silences/${s.id}`)}>{s.comment || s.id}</a>, {t.until} <Ago at={s.endsAt} />
          </li>
        ))}
        {x.inhibitedBy.map(s => (
          <li key={s.fingerprint} class="no">
            {t.inhibited} <a href={href("/alerts", { alert: s.fingerprint })}>{s.labels.alertname ?? s.fingerprint}</a>
          </li>
        ))}
        {x.silencedBy.length === 0 && x.inhibitedBy.length === 0 && <li class="yes">{t.nothingHolds}</li>}
        {x.routes.map(r => (
          <Outcome key={`${r.route}${r.receiver}`} route={r} />
        ))}
      </ol>
      {next.length > 0 && (
        <>
          <h3>{t.next}</h3>
          <table>
            <tbody>
              {next.slice(0, 6).map(({ r, i, at }) => (
                <tr key={`${r.receiver}${i.integration}${i.index}`}>
                  <td class="num">{short(Date.parse(at))}</td>
                  <td>
                    {r.receiver} <small>{i.integration}</small> {i.nextReason && <small>{reasonText(i.nextReason)}</small>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </>
  );
}
