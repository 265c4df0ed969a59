import type { Totals } from "../../lib/api";
import { T } from "../../lib/i18n";
import { href } from "../../lib/router";
import { Ago } from "../../parts/Ago";

/** Who is not told stands before all alerts: they cannot be relied on to come. */
export function Failing({ list }: { list: Totals["failingReceivers"] }) {
  if (list.length === 0) return null;
  return (
    <section class="panel failing" role="alert">
      {list.slice(0, 3).map(r => (
        <p key={r.receiver}>
          <a href={href("/receivers", { name: r.receiver })}>
            <b>{r.receiver}</b>
          </a>{" "}
          {T().alerts.notTold} <Ago at={r.since} />: {r.why}
        </p>
      ))}
      {list.length > 3 && <p>{T().alerts.moreFailing(list.length - 3)}</p>}
    </section>
  );
}
