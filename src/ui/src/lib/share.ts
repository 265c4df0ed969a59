// What says the same as before is the same object, so that nothing of it is rendered again.
import type { BoardGroup } from "./api";

const same = <T>(old: T, now: T): T => (old === now || JSON.stringify(old) === JSON.stringify(now) ? old : now);

/** The group as it is now, made of what is left of before. */
export function shareGroup(old: BoardGroup, now: BoardGroup): BoardGroup {
  if (old === now) return old;
  const before = new Map(old.alerts.map(a => [a.fingerprint, a]));
  const alerts = now.alerts.map(a => {
    const o = before.get(a.fingerprint);
    return o ? same(o, a) : a;
  });
  return same(old, {
    ...now,
    alerts,
    shared: same(old.shared, now.shared),
    sharedAnnotations: same(old.sharedAnnotations, now.sharedAnnotations),
  });
}
