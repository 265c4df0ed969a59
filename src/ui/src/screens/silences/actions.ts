import { expireSilence, putSilence, type Silence } from "../../lib/api";
import { T } from "../../lib/i18n";
import { toast } from "../../lib/toasts";

const draftOf = (s: Silence, more: { startsAt?: string; endsAt?: string; id?: string } = {}) => ({
  matchers: s.matchers,
  startsAt: s.startsAt,
  endsAt: s.endsAt,
  createdBy: s.createdBy,
  comment: s.comment,
  ...more,
});

const fail = (e: unknown) => toast(e instanceof Error ? e.message : String(e), { isError: true });

/** Ends them; who did not mean to has them back by one click, as new ones until the same time. */
export async function expireAll(list: Silence[], done: () => void): Promise<void> {
  const t = T().silences;
  try {
    await Promise.all(list.map(s => expireSilence(s.id)));
    toast(t.expired(list.length), {
      undo: () => {
        const now = new Date().toISOString();
        Promise.all(list.map(s => putSilence(draftOf(s, { startsAt: s.startsAt > now ? s.startsAt : now })))).then(done, fail);
      },
    });
  } catch (e) {
    fail(e);
  }
  done();
}

/** So much longer than they would have lasted. */
export async function extendAll(list: Silence[], ms: number, done: () => void): Promise<void> {
  try {
    await Promise.all(list.map(s => putSilence(draftOf(s, { id: s.id, endsAt: new Date(Date.parse(s.endsAt) + ms).toISOString() }))));
    toast(T().silences.extended(list.length), {
      undo: () => {
        Promise.all(list.map(s => putSilence(draftOf(s, { id: s.id })))).then(done, fail);
      },
    });
  } catch (e) {
    fail(e);
  }
  done();
}
