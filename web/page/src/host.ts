// Our own page as a host: same origin, the reader's token, the address bar.
import { makeClient, type Host } from "@callboard/ui";
import { addressOf, API_BASE, goTo } from "./address_bar";
import { sawAnswer, sawNoAnswer } from "./connection";
import { readToken } from "./token";

export async function fetchWithToken(address: string, parts: RequestInit): Promise<Response> {
    const headers = new Headers(parts.headers);
    const token = readToken();
    if (token) headers.set("Authorization", `Bearer ${token}`);
    try {
        const answer = await window.fetch(address, { ...parts, headers });
        sawAnswer(answer.status);
        return answer;
    } catch (failure) {
        sawNoAnswer(failure);
        throw failure;
    }
}

export const host: Host = {
    client: makeClient(API_BASE, fetchWithToken),
    href: addressOf,
    go: goTo,
    wholePage: true,
    otlpAddress: `http://${window.location.hostname}:4318`,
};
