import { makeVector, Table, tableToIPC } from "apache-arrow";

/** Five clouds in a ring, one a phase; every seventh point is predicted wrongly. As an Arrow stream. */
export function embedding(n) {
  const [x, y, z] = [new Float32Array(n), new Float32Array(n), new Float32Array(n)];
  const [phase, predicted, cluster] = [new Uint8Array(n), new Uint8Array(n), new Int32Array(n)];
  for (let i = 0; i < n; i++) {
    const k = i % 5;
    const turn = i * 2.399963;
    const radius = 0.13 * Math.sqrt(((i * 7) % n) / n);
    x[i] = 0.5 + 0.3 * Math.cos((k * 2 * Math.PI) / 5) + radius * Math.cos(turn);
    y[i] = 0.5 + 0.3 * Math.sin((k * 2 * Math.PI) / 5) + radius * Math.sin(turn);
    z[i] = 0.5 + 0.2 * Math.sin(turn * 0.37);
    phase[i] = k;
    predicted[i] = i % 7 === 0 ? (k + 1) % 5 : k;
    cluster[i] = i % 8;
  }
  const columns = { x, y, z, phase, predicted, cluster };
  const table = new Table(
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, makeVector(values)])),
  );
  table.schema.metadata.set("fit_id", `test-${n}`).set("projector", "lda").set("cycle", "1");
  return tableToIPC(table, "stream");
}
