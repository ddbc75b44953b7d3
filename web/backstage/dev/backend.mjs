// A Backstage backend with its proxy, by the configuration that is named:
//   node backend.mjs --config app-config.yaml
import { createBackend } from "@backstage/backend-defaults";

const backend = createBackend();
backend.add(import("@backstage/plugin-proxy-backend"));
await backend.start();
