import type { Silence } from "../../lib/api";
import { T } from "../../lib/i18n";
import { opOf, printMatcher, printMatchers } from "../../lib/labels";
import { href } from "../../lib/router";
import { who } from "../../lib/who";
import { Ago } from "../../parts/Ago";
import { expireAll, extendAll } from "./actions";

export function SilenceCard({
  silence: s,
  hides,
  checked,
  onCheck,
  done,
}: {
  silence: Silence;
  hides: number | null;
  checked?: boolean;
  onCheck?: (on: boolean) => void;
  done: () => void;
}) {
  const t = T().silences;
  const state = s.status.state;
  const may = who.value?.may.silence !== false;
  const filter = printMatchers(s.matchers);
  return (
    <article class={`silence ${state}`}>
      {onCheck && may && state !== "expired" && (
        <input type="checkbox" aria-label={t.select(s.comment)} checked={checked} onChange={e => onCheck(e.currentTarget.checked)} />
      )}
      <div>
        <p class="summary">
          <a href={href(`/silences/${s.id}`)}>{s.comment || s.id}</a>
        </p>
        <div class="labels">
          {s.matchers.map(m => (
            <span key={printMatcher(m)} class={m.isEqual ? "chip" : "chip not"}>
              <i>
                {m.name}
                {opOf(m)}
              </i>
              {m.value}
            </span>
          ))}
        </div>
        <p class="soft">
          {t.by} <b>{s.createdBy}</b>
          {s.annotations?.createdBy && ` (${t.givenAs(s.annotations.createdBy)})`} ·{" "}
          {state === "pending" ? (
            <>
              {t.starts} <Ago at={s.startsAt} />,{" "}
            </>
          ) : null}
          {state === "expired" ? t.ended : t.ends} <Ago at={s.endsAt} />
          {hides !== null && state === "active" && (
            <>
              {" · "}
              {hides === 0 ? <span class="bad">{t.hidesNothing}</span> : <a href={href("/alerts", { filter })}>{t.hides(hides)}</a>}
            </>
          )}
        </p>
      </div>
      {may && (
        <span class="acts">
          {state !== "expired" && <a href={href(`/silences/${s.id}/edit`)}>{t.edit}</a>}
          {state !== "expired" && (
            <button type="button" class="link" onClick={() => void extendAll([s], 2 * 3_600_000, done)}>
              {t.extend}
            </button>
          )}
          {state !== "expired" && (
            <button type="button" class="link" onClick={() => void expireAll([s], done)}>
              {t.expire}
            </button>
          )}
          {state === "expired" && <a href={href("/silences/new", { filter, comment: s.comment })}>{t.anew}</a>}
        </span>
      )}
    </article>
  );
}
