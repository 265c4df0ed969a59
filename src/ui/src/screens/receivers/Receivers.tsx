import { useSignal } from "@preact/signals";
import { ApiError, type ReceiverHealth, receiverHealth, receivers, type TrialResult, testReceiver } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { lang, type Strings, T } from "../../lib/i18n";
import { href, place } from "../../lib/router";
import { who } from "../../lib/who";
import { Ago } from "../../parts/Ago";
import { Problem } from "../../parts/Problem";

function Results({ list }: { list: TrialResult[] }) {
  return (
    <ol class="told short">
      {list.map((r, i) => (
        <li key={i}>
          <span class={`verdict ${r.verdict === "delivered" || r.verdict === "taken" ? "ok" : "bad"}`}>
            {T().told.verdicts[r.verdict as keyof Strings["told"]["verdicts"]] ?? r.verdict}
          </span>
          <span class="num">{r.status || ""}</span>
          <span class="about">
            {r.integration} <small>{r.told}</small> {r.error && <span class="bad">{r.error}</span>} {r.error && r.advice?.[lang.value]}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Sends a made-up alert; what costs money or rings is asked about first. */
function Test({ name }: { name: string }) {
  const t = T().receivers;
  const said = useSignal<TrialResult[] | null>(null);
  const error = useSignal<Error | null>(null);
  const asks = useSignal<string | null>(null);
  const busy = useSignal(false);
  const run = async (confirm: boolean) => {
    busy.value = true;
    said.value = null;
    error.value = null;
    asks.value = null;
    try {
      said.value = (await testReceiver(name, confirm)).results;
    } catch (e) {
      if (e instanceof ApiError && e.status === 409) asks.value = e.message;
      else error.value = e as Error;
    }
    busy.value = false;
  };
  return (
    <div>
      <div class="btns">
        <button type="button" class="btn" disabled={busy.value} onClick={() => void run(false)}>
          {t.test}
        </button>
        <a class="btn" href={href("/notifications", { receiver: name })}>
          {t.told}
        </a>
        <a class="btn" href={href("/alerts", { receiver: name })}>
          {t.alerts}
        </a>
      </div>
      {asks.value !== null && (
        <p class="problem">
          {asks.value}{" "}
          <button type="button" class="btn" onClick={() => void run(true)}>
            {t.testAnyway}
          </button>
        </p>
      )}
      <Problem error={error.value} />
      {said.value !== null && <Results list={said.value} />}
    </div>
  );
}

function Card({ r }: { r: ReceiverHealth }) {
  const t = T().receivers;
  const advice = r.advice?.[lang.value] ?? null;
  const isNamed = place.value.query.get("name") === r.receiver;
  return (
    <article class={`panel ${r.failing ? "failing" : ""}`} aria-current={isNamed ? "true" : undefined}>
      <h2>
        {r.receiver}{" "}
        <span class={r.failing ? "verdict bad" : r.lastSuccess ? "verdict ok" : "verdict"}>
          {r.failing ? t.failing : r.lastSuccess ? t.well : t.unused}
        </span>
      </h2>
      <p class="soft">
        {r.lastSuccess ? (
          <>
            {t.lastTold} <Ago at={r.lastSuccess} />
          </>
        ) : (
          t.neverTold
        )}
        {" · "}
        {t.queued(r.queued, r.inFlight)}
      </p>
      {(r.failing || r.lastError) && (
        <p class={r.failing ? "problem" : "soft"}>
          {r.failing || r.lastError}
          {r.lastFailure && (
            <>
              {" ("}
              <Ago at={r.lastFailure} />
              {")"}
            </>
          )}
        </p>
      )}
      {advice && r.failing && <p>{advice}</p>}
      {who.value?.may.change !== false && <Test name={r.receiver} />}
    </article>
  );
}

export function Receivers() {
  const t = T();
  const asked = useAsk(
    async () => {
      const names = await receivers();
      const list = await Promise.all(names.map(n => receiverHealth(n.name)));
      return list.sort((a, b) => Number(b.failing !== "") - Number(a.failing !== "") || a.receiver.localeCompare(b.receiver));
    },
    [],
    10_000,
  );
  const name = place.value.query.get("name");
  const list = [...(asked.data.value ?? [])].sort((a, b) => Number(b.receiver === name) - Number(a.receiver === name));
  return (
    <>
      <h1>{t.nav.receivers}</h1>
      <Problem error={asked.error.value} retry={asked.again} />
      {asked.data.value?.length === 0 && <p class="empty">{t.receivers.none}</p>}
      <div class="grid">
        {list.map(r => (
          <Card key={r.receiver} r={r} />
        ))}
      </div>
    </>
  );
}
