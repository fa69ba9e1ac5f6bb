import { defineConfig } from "vitest/config";

// One after the other: two browsers on one machine would disturb each other.
export default defineConfig({
  test: { include: ["test/browser/*.test.ts"], fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 },
});
