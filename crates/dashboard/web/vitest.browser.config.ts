import { defineConfig } from "vitest/config";

// One after the other: two browsers on one machine would disturb each other. What is waited for has as long as a test:
// how fast it comes is for a benchmark.
export default defineConfig({
  test: {
    include: ["test/browser/*.test.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
