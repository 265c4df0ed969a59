import { useSignal } from "@preact/signals";
import { T } from "../lib/i18n";
import { credentials } from "../lib/prefs";
import { findOut } from "../lib/who";

const basic = (name: string, password: string): string => {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
};

/** A token, or a name and a password: kept for this tab, and sent to this server only. */
export function Login() {
  const t = T().login;
  const kind = useSignal<"token" | "basic">("token");
  const failed = useSignal(false);
  const submit = async (e: Event) => {
    e.preventDefault();
    const data = new FormData(e.currentTarget as HTMLFormElement);
    const text = (name: string) => String(data.get(name) ?? "").trim();
    failed.value = false;
    credentials.value = kind.value === "token" ? `Bearer ${text("token")}` : basic(text("name"), String(data.get("password") ?? ""));
    if ((await findOut()) === null) {
      failed.value = true;
      credentials.value = null;
    }
  };
  return (
    <main class="login">
      <form class="panel form" onSubmit={submit}>
        <h1>{t.title}</h1>
        <p class="soft">{t.why}</p>
        <div class="tabs" role="tablist">
          {(["token", "basic"] as const).map(k => (
            <button
              key={k}
              type="button"
              role="tab"
              aria-selected={kind.value === k}
              onClick={() => {
                kind.value = k;
              }}
            >
              {t[k]}
            </button>
          ))}
        </div>
        {kind.value === "token" ? (
          <label>
            {t.token}
            <input name="token" type="password" autocomplete="off" required autofocus />
          </label>
        ) : (
          <>
            <label>
              {t.name}
              <input name="name" autocomplete="username" required />
            </label>
            <label>
              {t.password}
              <input name="password" type="password" autocomplete="current-password" required />
            </label>
          </>
        )}
        {failed.value && (
          <p class="problem" role="alert">
            {t.failed}
          </p>
        )}
        <button type="submit" class="btn main">
          {t.submit}
        </button>
      </form>
    </main>
  );
}
