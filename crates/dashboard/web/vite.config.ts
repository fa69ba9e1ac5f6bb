import { defineConfig } from "vite";
import { seal } from "./build/seal.ts";

const broadcaster = "http://127.0.0.1:8447";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    assetsDir: "",
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: { entryFileNames: "app.js", chunkFileNames: "[name].js", assetFileNames: "app.[ext]" },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: { output: { entryFileNames: "worker.js", codeSplitting: false } },
  },
  plugins: [seal()],
  // `npx vite` serves the sources; what is not the page's comes from a broadcaster.
  server: {
    proxy: {
      "/ws": { target: broadcaster, ws: true },
      "/events": broadcaster,
      "/healthz": broadcaster,
      "/snapshots": broadcaster,
      "/metrics": broadcaster,
      "/tabs.json": broadcaster,
    },
  },
});
