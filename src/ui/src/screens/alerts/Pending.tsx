import { rules } from "../../lib/api";
import { useAsk } from "../../lib/ask";
import { T } from "../../lib/i18n";
import { type Matcher, matches } from "../../lib/labels";
import { shortValue } from "../../lib/value";
import { Ago } from "../../parts/Ago";
import { Chip } from "../../parts/Chip";
import { Problem } from "../../parts/Problem";
import { Shape } from "../../parts/Shape";

/** What will fire if it stays as it is: the router does not know of it yet. */
export function Pending({ matchers }: { matchers: Matcher[] }) {
  const asked = useAsk(rules, [], 15_000);
  const list = (asked.data.value ?? [])
    .flatMap(g => g.rules)
    .flatMap(r => (r.alerts ?? []).filter(a => a.state === "pending" && matches(matchers, a.labels)).map(a => ({ rule: r, alert: a })));
  return (
    <section class="group none">
      <header>
        <Shape rank={4} />
        <div class="what">
          <h2>{T().alerts.states.pending}</h2> <small>{T().alerts.count(list.length)}</small>
        </div>
      </header>
      <Problem error={asked.error.value} retry={asked.again} />
      {list.slice(0, 200).map(({ rule, alert }) => (
        <article key={JSON.stringify(alert.labels)} class="alert">
          <div>
            <p>{alert.annotations.summary ?? rule.name}</p>
            <div class="labels">
              {Object.entries(alert.labels).map(([n, v]) => (
                <Chip key={n} name={n} value={v} />
              ))}
            </div>
          </div>
          <span class="value num">{shortValue(alert.value)}</span>
          <span class="since num">
            <Ago at={alert.activeAt} plain />
          </span>
        </article>
      ))}
    </section>
  );
}
