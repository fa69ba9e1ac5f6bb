import { env } from "node:process";

/** The system's Chromium: none is downloaded. */
export const chromiumPath = env.CHROMIUM ?? "/usr/bin/chromium";

/** No GPU, no phoning home. */
export const chromiumArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
