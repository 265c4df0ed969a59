import { T } from "../lib/i18n";
import { Dialog } from "../parts/Dialog";

export function Help({ onClose }: { onClose: () => void }) {
  const t = T();
  return (
    <Dialog title={t.keys.title} onClose={onClose}>
      <dl class="keys">
        {Object.entries(t.keys.list).map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map(k => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
