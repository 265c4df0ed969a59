import type { BoardAlert } from "../../lib/api";
import { drawn, exprOfLink } from "../../lib/expr";
import { T } from "../../lib/i18n";
import { isLink, isVolatile, type Labels, matcher } from "../../lib/labels";
import { memo } from "../../lib/memo";
import { href, hrefWith, update } from "../../lib/router";
import { shortValue } from "../../lib/value";
import { who } from "../../lib/who";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { rankClass } from "../../parts/Shape";
import { matchersOf, silenceHref } from "../silences/link";
import { addMatcher } from "./SearchBar";
import type { AlertsState } from "./state";

const SUMMARY = ["summary", "message", "title", "description"];

/** "runbook_url": "Runbook". */
const linkName = (name: string): string => {
  const words =
    name
      .replace(/_?(url|link)$/i, "")
      .replace(/_/g, " ")
      .trim() || name;
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What it is held against stands beside it. */
function Value({ value, url }: { value: string | undefined; url: string | undefined }) {
  if (value === undefined) return <span class="value" />;
  const { threshold, op } = drawn(exprOfLink(url) ?? "");
  return (
    <span class="value num" title={value}>
      {shortValue(value)}
      {threshold !== null && /[<>]/.test(op) && (
        <small>
          {" "}
          {op} {threshold}
        </small>
      )}
    </span>
  );
}

export const AlertRow = memo(function AlertRow({
  alert: a,
  shared,
  sharedAnnotations,
  single,
  state,
}: {
  alert: BoardAlert;
  shared: Labels;
  sharedAnnotations: Labels;
  single: boolean;
  state: AlertsState;
}) {
  const t = T().alerts;
  const labels = { ...shared, ...a.labels };
  const annotations = single ? { ...sharedAnnotations, ...a.annotations } : a.annotations;
  const summary = SUMMARY.find(n => annotations[n] && !isLink(annotations[n] ?? ""));
  const links = Object.entries({ ...sharedAnnotations, ...a.annotations }).filter(([, v]) => isLink(v));
  const rest = Object.entries(annotations).filter(([n, v]) => n !== summary && n !== "value" && !isLink(v));
  const value = a.value ?? annotations.value;
  const pick = (name: string, v: string, exclude: boolean) => addMatcher(state.matchers, matcher(name, exclude ? "!=" : "=", v));
  const own = single ? Object.fromEntries(Object.entries(shared).filter(([n]) => n !== "alertname" && n !== "severity")) : a.labels;
  const shown = Object.entries(own).sort(([x], [y]) => Number(isVolatile(x)) - Number(isVolatile(y)));
  return (
    <article
      class={`alert ${rankClass(a.rank, a.state !== "firing")}`}
      data-row={a.fingerprint}
      tabIndex={0}
      aria-current={state.alert === a.fingerprint ? "true" : undefined}
      aria-label={`${labels.alertname ?? ""} ${summary ? annotations[summary] : ""}`}
      onKeyDown={e => {
        if (e.key === "Enter" && e.target === e.currentTarget) update({ alert: a.fingerprint });
      }}
    >
      <div class="body">
        {summary && <p class="summary">{annotations[summary]}</p>}
        {rest.map(([n, v]) => (
          <p key={n} class="note-text clamp">
            <i>{n}</i> {v}
          </p>
        ))}
        <div class="labels">
          {shown.map(([n, v]) => (
            <Chip key={n} name={n} value={v} onPick={pick} />
          ))}
        </div>
        {a.silencedBy?.map(s => (
          <p key={s.id} class="note">
            {t.silencedBy(s.createdBy)} <a href={href(`/silences/${s.id}`)}>{s.comment || s.id}</a> · {t.ends} <Ago at={s.endsAt} />
          </p>
        ))}
        {a.inhibitedBy && (
          <p class="note">
            {t.inhibitedBy}{" "}
            {a.inhibitedBy.map((s, i) => (
              <span key={s.fingerprint}>
                {i > 0 && ", "}
                <a href={hrefWith({ alert: s.fingerprint })}>{s.alertname || s.fingerprint}</a>
              </span>
            ))}
          </p>
        )}
      </div>
      <Value value={value} url={a.generatorURL} />
      <span class="since num">
        <Ago at={a.since} plain />
      </span>
      <span class="acts">
        {who.value?.may.silence !== false && (
          <a data-silence href={silenceHref(matchersOf(labels), "alert")}>
            {t.silence}
          </a>
        )}
        <a href={hrefWith({ alert: a.fingerprint })}>{t.why}</a>
        {links.slice(0, 3).map(([n, v]) => (
          <a key={n} href={v} target="_blank" rel="noreferrer noopener">
            {linkName(n)}
          </a>
        ))}
      </span>
    </article>
  );
});
