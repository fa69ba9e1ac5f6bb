import { signal } from "@preact/signals";

/** What one looks at is in the address, after the #: a link shows another person the same. */
const params = signal(read());

function read(): ReadonlyMap<string, string> {
  return new Map(new URLSearchParams(location.hash.slice(1)));
}

addEventListener("hashchange", () => {
  params.value = read();
});

export function param(name: string): string | undefined {
  return params.value.get(name);
}

/** Sets or, with `undefined`, removes a parameter. Leaves no trace in the history: nothing was navigated to. */
export function setParam(name: string, value: string | undefined): void {
  const next = new Map(params.peek());
  if (value === undefined) next.delete(name);
  else next.set(name, value);
  params.value = next;
  // Commas and colons stay readable.
  const hash = new URLSearchParams([...next]).toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  history.replaceState(null, "", hash === "" ? location.pathname + location.search : `#${hash}`);
}
