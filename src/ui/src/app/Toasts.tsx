import { T } from "../lib/i18n";
import { dismiss, toasts } from "../lib/toasts";

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(x => (
        <div key={x.id} class={x.isError ? "toast bad" : "toast"}>
          <span>{x.text}</span>
          {x.undo && (
            <button
              type="button"
              onClick={() => {
                x.undo?.();
                dismiss(x.id);
              }}
            >
              {T().undo}
            </button>
          )}
          <button type="button" aria-label={T().close} onClick={() => dismiss(x.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
