import { useSignal } from "@preact/signals";
import { flags, loop, reload, runtimeInfo, status } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { who } from "../../lib/who";
import { Ago } from "../../parts/Ago";
import { Problem } from "../../parts/Problem";

const ms = (s: number): string => `${(s * 1000).toFixed(1)} ms`;

function Reload() {
  const t = T().status;
  const said = useSignal<string | null>(null);
  const error = useSignal<Error | null>(null);
  const busy = useSignal(false);
  const run = async (dry: boolean) => {
    busy.value = true;
    try {
      said.value = (await reload(dry)) || t.reloaded;
      error.value = null;
    } catch (e) {
      error.value = e as Error;
      said.value = null;
    }
    busy.value = false;
  };
  return (
    <section class="panel">
      <h2>{t.reload}</h2>
      <div class="btns">
        <button type="button" class="btn" disabled={busy.value} onClick={() => void run(true)}>
          {t.tryReload}
        </button>
        <button type="button" class="btn" disabled={busy.value} onClick={() => void run(false)}>
          {t.reload}
        </button>
      </div>
      <Problem error={error.value} />
      {said.value !== null && <pre tabIndex={0}>{said.value}</pre>}
    </section>
  );
}

export function Status() {
  const t = T();
  const asked = useAsk(
    async () => {
      const [s, l, f, r] = await Promise.all([status(), loop(), flags(), runtimeInfo()]);
      return { s, l, f, r };
    },
    [],
    15_000,
  );
  const x = asked.data.value;
  return (
    <>
      <h1>{t.nav.status}</h1>
      <Problem error={asked.error.value} retry={asked.again} />
      {x && (
        <>
          <section class="panel">
            <dl class="pairs">
              <div>
                <dt>{t.status.version}</dt>
                <dd>
                  tocsin {x.s.versionInfo.revision} · {t.status.speaks(x.s.versionInfo.version)}
                </dd>
              </div>
              <div>
                <dt>{t.status.started}</dt>
                <dd>
                  <Ago at={x.s.uptime} />
                </dd>
              </div>
              {x.l && (
                <div>
                  <dt>{t.status.loop}</dt>
                  <dd>
                    {t.status.longest(ms(x.l.longestTurnSeconds), x.l.longestWork, ms(x.l.longestWorkSeconds))} · {t.status.lag}{" "}
                    {ms(x.l.longestLagSeconds)}
                  </dd>
                </div>
              )}
              {Object.entries(x.r)
                .filter(([n, v]) => v !== "" && !/^(startTime|CWD|hostname|GO.*|goroutine.*|serverTime)$/.test(n))
                .map(([n, v]) => (
                  <div key={n}>
                    <dt>{n}</dt>
                    <dd class="num">{String(v)}</dd>
                  </div>
                ))}
            </dl>
          </section>
          {who.value?.may.change !== false && <Reload />}
          <section class="panel">
            <h2>{t.status.configuration}</h2>
            <pre tabIndex={0}>{x.s.config.original}</pre>
          </section>
          <section class="panel">
            <details>
              <summary>{t.status.flags}</summary>
              <dl class="pairs">
                {Object.entries(x.f).map(([n, v]) => (
                  <div key={n}>
                    <dt class="mono">{n}</dt>
                    <dd class="mono">{v}</dd>
                  </div>
                ))}
              </dl>
            </details>
          </section>
        </>
      )}
    </>
  );
}
