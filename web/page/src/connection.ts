// Of this page to the Callboard that serves it.
import { makeConnection } from "@callboard/ui";
import { API_BASE } from "./address_bar";

export const { sawAnswer, sawNoAnswer, signedIn, useConnection, useAskWhenBack } = makeConnection(
    async () => (await window.fetch(`${API_BASE}/health`)).status,
);
