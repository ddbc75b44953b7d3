// What hosts use: our own page (web/page), and the Backstage plugin.
export { HostProvider, type Host, type PageName, type Place } from "./host";
export { makeClient, type Client, type FetchParts } from "./client";
export { keptParams, toQuery, withParams, KEPT, type Params } from "./address";
export { makeQueryClient } from "./ask";
export { advanceClock } from "./time";
export { usePlace, useHost } from "./host";
export { PageLink } from "./parts/marks";
