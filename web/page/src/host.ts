// Our own page as a host: same origin, the reader's token, the address bar.
import { makeClient, type Host } from "@callboard/ui";
import { addressOf, API_BASE, goTo } from "./address_bar";
import { readToken } from "./token";

export const host: Host = {
    client: makeClient(API_BASE, (address, parts) => {
        const headers = new Headers(parts.headers);
        const token = readToken();
        if (token) headers.set("Authorization", `Bearer ${token}`);
        return window.fetch(address, { ...parts, headers });
    }),
    href: addressOf,
    go: goTo,
    otlpAddress: `http://${window.location.hostname}:4318`,
};
