import { T } from "../lib/i18n";
import { absolute, now, slowNow, span } from "../lib/time";

/** "47 min", with the whole time on hover. Of what is near, seconds count. */
export function Ago({ at, plain = false }: { at: string | number; plain?: boolean }) {
  const t = typeof at === "number" ? at : Date.parse(at);
  const near = Math.abs(slowNow.value - t) < 120_000;
  const ms = (near ? now.value : slowNow.value) - t;
  const text = plain ? span(ms) : ms >= 0 ? T().ago(span(ms)) : T().inTime(span(ms));
  return (
    <time dateTime={new Date(t).toISOString()} title={absolute(t)}>
      {text}
    </time>
  );
}
