import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "automatic" },
  test: {
    environment: "happy-dom",
    testTimeout: 30_000,
    include: ["*/src/**/*.test.{ts,tsx}"],
    setupFiles: ["ui/src/test_setup.ts"],
  },
});
