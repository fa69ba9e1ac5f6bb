import { useSignal } from "@preact/signals";
import type { Scene } from "../scenes/scene";
import { store } from "../state/store";

/** Producers publish here when they are not told otherwise. */
const DEFAULT_ORIGIN = "http://127.0.0.1:8447";

/** What would fill a scene, with the command to type. Before the first join it is not known whether anything is missing. */
export function Empty({ text, command }: Scene["empty"]) {
  if (!store.shown.value.complete) return <p class="waiting">Waiting for the broadcaster.</p>;
  return (
    <div class="empty">
      <p>{text}</p>
      {command !== undefined && <Command line={command} />}
    </div>
  );
}

/** A command to type here, with the address to publish to where it is not the default. */
function Command({ line }: { line: string }) {
  const copied = useSignal(false);
  const whole = location.origin === DEFAULT_ORIGIN ? line : `${line} --publish-url ${new URL("publish", document.baseURI)}`;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(whole);
    } catch {
      // The browser was told not to: the command is there to be selected.
      return;
    }
    copied.value = true;
    setTimeout(() => {
      copied.value = false;
    }, 1_500);
  };
  return (
    <div class="command">
      <code>{whole}</code>
      {isSecureContext && (
        <button type="button" onClick={copy}>
          {copied.value ? "Copied" : "Copy"}
        </button>
      )}
    </div>
  );
}
