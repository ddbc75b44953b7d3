// By which the parts of the plugin find the way to Callboard.
import { createApiRef } from "@backstage/core-plugin-api";
import type { CallboardApi } from "./callboard_api";

export { makeCallboardApi, type CallboardApi } from "./callboard_api";

export const callboardApiRef = createApiRef<CallboardApi>({ id: "plugin.callboard.api" });
