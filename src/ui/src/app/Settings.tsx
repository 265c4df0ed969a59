import { T } from "../lib/i18n";
import { credentials, type Lang, language, order, type Theme, theme, type Zone, zone } from "../lib/prefs";
import { who } from "../lib/who";
import { Dialog } from "../parts/Dialog";

export function Settings({ onClose }: { onClose: () => void }) {
  const t = T().settings;
  return (
    <Dialog title={t.title} onClose={onClose}>
      <div class="form">
        <label>
          {t.language}
          <select
            value={language.value}
            onChange={e => {
              language.value = e.currentTarget.value as Lang;
            }}
          >
            <option value="auto">{t.auto}</option>
            <option value="en">English</option>
            <option value="zh">中文</option>
          </select>
        </label>
        <label>
          {t.theme}
          <select
            value={theme.value}
            onChange={e => {
              theme.value = e.currentTarget.value as Theme;
            }}
          >
            <option value="auto">{t.auto}</option>
            <option value="light">{t.light}</option>
            <option value="dark">{t.dark}</option>
            <option value="contrast">{t.contrast}</option>
          </select>
        </label>
        <label>
          {t.zone}
          <select
            value={zone.value}
            onChange={e => {
              zone.value = e.currentTarget.value as Zone;
            }}
          >
            <option value="local">{t.local}</option>
            <option value="UTC">UTC</option>
          </select>
        </label>
        <label>
          {t.order}
          <input
            placeholder="critical, error, warning, info, none"
            value={order.value}
            onChange={e => {
              order.value = e.currentTarget.value;
            }}
          />
        </label>
        {credentials.value && (
          <p>
            {t.loggedIn(who.value?.name || t.byPassword)}{" "}
            <button
              type="button"
              class="btn"
              onClick={() => {
                credentials.value = null;
                onClose();
              }}
            >
              {t.logOut}
            </button>
          </p>
        )}
        <p class="soft">
          tocsin {who.value?.version} · <a href="ui/licenses.txt">{t.licenses}</a>
        </p>
      </div>
    </Dialog>
  );
}
