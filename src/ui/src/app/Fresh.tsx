import { T } from "../lib/i18n";
import { health, heardAt } from "../lib/live";
import { absolute, clock, now } from "../lib/time";

/** "As of": green while the server tells of itself, red when it has not for too long. The last data stay. */
export function Fresh() {
  const t = T();
  const h = health.value;
  const age = heardAt.value ? now.value - heardAt.value : 0;
  const isOld = h === "lost" || h === "unauthorized" || age > 40_000;
  const word = isOld ? t.fresh.lost : h === "polling" ? t.fresh.polling : h === "live" ? t.fresh.live : t.fresh.connecting;
  return (
    <output class={isOld ? "fresh old" : "fresh"} aria-label={`${word} ${heardAt.value ? t.fresh.asOf(clock(heardAt.value)) : ""}`}>
      <span class="dot" aria-hidden="true" />
      {word}
      {heardAt.value > 0 && (
        <span class="num" title={absolute(heardAt.value)}>
          {" "}
          {t.fresh.asOf(clock(heardAt.value))}
        </span>
      )}
    </output>
  );
}
