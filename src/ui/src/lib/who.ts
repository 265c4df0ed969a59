// Who we are, and what we may do: what a scope may not do is not offered.
import { effect, signal } from "@preact/signals";
import { mustLogIn, type Who, whoami } from "./api";
import { credentials } from "./prefs";

export const who = signal<Who | null>(null);

export async function findOut(): Promise<Who | null> {
  try {
    const found = await whoami();
    // another version of the server has other pages: this one is of yesterday, and may ask what nobody answers
    if (who.peek() && who.peek()?.version !== found.version) location.reload();
    who.value = found;
    mustLogIn.value = false;
    return found;
  } catch {
    return null;
  }
}

effect(() => {
  credentials.value;
  void findOut();
});
setInterval(() => !document.hidden && !mustLogIn.peek() && void findOut(), 60_000);
