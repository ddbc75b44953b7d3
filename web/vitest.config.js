import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "automatic" },
  test: {
    environment: "happy-dom",
    include: ["*/src/**/*.test.{ts,tsx}"],
    setupFiles: ["ui/src/test_setup.ts"],
  },
});
