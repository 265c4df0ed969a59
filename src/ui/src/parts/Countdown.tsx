import { absolute, countdown, now, span } from "../lib/time";

export function Countdown({ at }: { at: string }) {
  const t = Date.parse(at);
  const ms = t - now.value;
  return (
    <time class="num" dateTime={at} title={absolute(t)}>
      {ms < 3_600_000 ? countdown(ms) : span(ms)}
    </time>
  );
}
