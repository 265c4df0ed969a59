import { useSignal } from "@preact/signals";
import type { BoardGroup } from "../../lib/api";
import { T } from "../../lib/i18n";
import { matcher } from "../../lib/labels";
import { useBoard } from "../../lib/live";
import { memo } from "../../lib/memo";
import { useNear } from "../../lib/near";
import { href } from "../../lib/router";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { Countdown } from "../../parts/Countdown";
import { rankClass, Shape } from "../../parts/Shape";
import { Strip } from "../../parts/Strip";
import { Text } from "../../parts/Text";
import { AlertRow } from "./AlertRow";
import { addMatcher } from "./SearchBar";
import type { AlertsState } from "./state";

const folded = new Map<string, boolean>();

/** What the group is called: by the name that all its alerts have, else by its labels. */
const nameOf = (g: BoardGroup): string =>
  g.shared.alertname ??
  (Object.entries(g.labels)
    .map(([n, v]) => `${n}=${v}`)
    .join(", ") ||
    T().alerts.mixed);

function Next({ group: g }: { group: BoardGroup }) {
  const t = T().alerts;
  const last = (g.told ?? [])
    .map(x => x.at)
    .filter((x): x is string => x !== null)
    .sort()
    .at(-1);
  const retrying = (g.told ?? []).some(x => (x.attempts ?? 0) > 0);
  if (!g.receiver) return <div class="next">{t.noRoute}</div>;
  return (
    <div class="next">
      <a href={href("/receivers", { name: g.receiver })}>
        <b>{g.receiver}</b>
      </a>{" "}
      {retrying ? (
        <span class="bad">{t.retrying}</span>
      ) : last ? (
        <>
          {t.told} <Ago at={last} />
        </>
      ) : (
        t.notYetTold
      )}
      {g.mutedBy?.length ? (
        <> · {t.mutedBy(g.mutedBy.join(", "))}</>
      ) : (
        g.nextFlush && (
          <>
            {" "}
            · {t.next} <Countdown at={g.nextFlush} />
          </>
        )
      )}
    </div>
  );
}

/** All of a group's alerts, when somebody wants to see more than the first. */
function Rest({ group, filters, state }: { group: BoardGroup; filters: string; state: AlertsState }) {
  const page = useBoard(`group=${group.key}&alerts=500&limit=1${filters ? `&${filters}` : ""}`).value;
  const whole = page?.groups[group.key] ?? group;
  const n = whole.counts.firing + whole.counts.silenced + whole.counts.inhibited;
  return (
    <>
      {whole.alerts.map(a => (
        <AlertRow
          key={a.fingerprint}
          alert={a}
          shared={whole.shared}
          sharedAnnotations={whole.sharedAnnotations}
          single={n === 1}
          state={state}
        />
      ))}
      {n > whole.alerts.length && page && <p class="more soft">{T().alerts.more(n - whole.alerts.length)}</p>}
    </>
  );
}

/** others: groups of other receivers that have the same alerts: they are one for who reads. */
export const Group = memo(function Group({
  group: g,
  others,
  first,
  filters,
  state,
}: {
  group: BoardGroup;
  others: BoardGroup[];
  first: boolean; // it is seen without scrolling
  filters: string;
  state: AlertsState;
}) {
  const t = T().alerts;
  const isHeld = g.state !== "firing";
  const isFolded = useSignal(folded.get(g.key) ?? isHeld);
  const all = useSignal(false);
  const { ref, near } = useNear<HTMLElement>(first);
  const n = g.counts.firing + g.counts.silenced + g.counts.inhibited;
  const pick = (name: string, value: string, exclude: boolean) => addMatcher(state.matchers, matcher(name, exclude ? "!=" : "=", value));
  const fold = () => {
    isFolded.value = !isFolded.value;
    folded.set(g.key, isFolded.value);
  };
  const annotations = Object.entries(g.sharedAnnotations);
  const shared = Object.entries(g.shared).filter(([name]) => name !== "alertname" && name !== "severity");
  const name = nameOf(g);
  return (
    <section ref={ref} class={`group ${rankClass(g.rank, isHeld)}`} aria-label={name}>
      <header>
        <Shape rank={g.rank} held={isHeld} />
        <div class="what">
          <h2>
            <button type="button" class="fold" data-collapse aria-expanded={!isFolded.value} onClick={fold}>
              {name}
            </button>
          </h2>{" "}
          {g.severity && !isHeld && <span class="sev">{g.severity}</span>}
          {isHeld && <span class="sev">{t.states[g.state]}</span>} {n > 1 && <small>{t.count(n)}</small>}
          {!isHeld && g.counts.silenced > 0 && <small> · {t.ofSilenced(g.counts.silenced)}</small>}
          {!isHeld && g.counts.inhibited > 0 && <small> · {t.ofInhibited(g.counts.inhibited)}</small>}
        </div>
        {!near.value ? null : g.strip ? <Strip slots={g.strip} /> : <span class="strip" />}
        <div class="nexts">{near.value && [g, ...others].map(x => <Next key={x.key} group={x} />)}</div>
      </header>
      {!isFolded.value && near.value && (
        <>
          {n > 1 && (shared.length > 0 || annotations.length > 0) && (
            <div class="shared">
              {shared.map(([name, v]) => (
                <Chip key={name} name={name} value={v} onPick={pick} />
              ))}
              {annotations.map(([name, v]) => (
                <p key={name} class="note-text">
                  <i>{name}</i> <Text value={v} />
                </p>
              ))}
            </div>
          )}
          {all.value ? (
            <Rest group={g} filters={filters} state={state} />
          ) : (
            g.alerts.map(a => (
              <AlertRow
                key={a.fingerprint}
                alert={a}
                shared={g.shared}
                sharedAnnotations={g.sharedAnnotations}
                single={n === 1}
                state={state}
              />
            ))
          )}
          {!all.value && n > g.alerts.length && (
            <div class="more">
              <button
                type="button"
                class="link"
                onClick={() => {
                  all.value = true;
                }}
              >
                {t.more(n - g.alerts.length)}
              </button>
            </div>
          )}
        </>
      )}
    </section>
  );
});
