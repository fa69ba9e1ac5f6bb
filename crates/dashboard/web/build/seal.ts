import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const HTML = "index.html";
const VERSION = "version";
const COMPRESSED = /\.(br|gz)$/;

/**
 * Ends a build: gives all files together one content version, lets the page refer to `assets/<version>/<file>`, so that they can be
 * kept for ever, and compresses each beside itself. Names stay the same from build to build and the same sources give the same bytes.
 */
export function seal(): Plugin {
  let folder = "";
  return {
    name: "seal",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir;
    },
    closeBundle() {
      const names = readdirSync(folder).sort();
      for (const name of names.filter((name) => COMPRESSED.test(name))) rmSync(join(folder, name));
      const files = names.filter((name) => !COMPRESSED.test(name) && name !== VERSION);

      const hash = createHash("sha256");
      for (const name of files) hash.update(name).update("\0").update(readFileSync(join(folder, name)));
      const version = hash.digest("hex").slice(0, 12);

      const html = readFileSync(join(folder, HTML), "utf8");
      const sealed = html.replaceAll(/(src|href)="(?:\.\/)?([\w.-]+)"/g, `$1="assets/${version}/$2"`).replaceAll(" crossorigin", "");
      writeFileSync(join(folder, HTML), sealed);
      writeFileSync(join(folder, VERSION), version);

      for (const name of files) {
        const bytes = readFileSync(join(folder, name));
        const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(bytes, brotli));
        writeFileSync(join(folder, `${name}.gz`), anySystem(gzipSync(bytes, { level: 9 })));
      }
    },
  };
}

/** The header of gzip names the system that wrote it; 255 is "unknown", the same everywhere. */
function anySystem(gzip: Buffer): Buffer {
  gzip[9] = 255;
  return gzip;
}
