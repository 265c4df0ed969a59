import { alerts, silence, told } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { Problem } from "../../parts/Problem";
import { ToldList } from "../notifications/ToldList";
import { AlertChips } from "./Preview";
import { SilenceCard } from "./SilenceCard";

export function SilenceView({ id }: { id: string }) {
  const t = T();
  const asked = useAsk(
    async () => {
      const s = await silence(id);
      const [hidden, held] = await Promise.all([alerts(s.matchers), told({ verdict: "silenced", limit: "500" })]);
      return { s, hidden, held: held.notifications.filter(n => n.by?.includes(id)).slice(0, 50) };
    },
    [id],
    10_000,
  );
  const x = asked.data.value;
  return (
    <>
      <h1>{t.silences.one}</h1>
      <Problem error={asked.error.value} retry={asked.again} />
      {x && (
        <>
          <SilenceCard silence={x.s} hides={x.hidden.length} done={() => void asked.again()} />
          <p class="soft mono">{id}</p>
          <h2>{t.silences.hides(x.hidden.length)}</h2>
          <AlertChips list={x.hidden} />
          {x.held.length > 0 && (
            <>
              <h2>{t.silences.kept}</h2>
              <div class="panel">
                <ToldList list={x.held} />
              </div>
            </>
          )}
        </>
      )}
    </>
  );
}
