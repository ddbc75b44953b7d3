// The client of the views over the API of the plugin, and what is seen of the
// connection in its answers: one for each API, as it lasts as long as the app.
import { makeClient, makeConnection, type Client } from "@callboard/ui";
import type { CallboardApi } from "./api";

interface Way {
    client: Client;
    connection: ReturnType<typeof makeConnection>;
}

// Addresses that the client makes begin with it; the API knows the real one.
const BASE = "http://callboard.invalid";
const ways = new WeakMap<CallboardApi, Way>();

function makeWay(api: CallboardApi): Way {
    const connection = makeConnection(async () => (await api.fetch("/health")).status);
    const client = makeClient(BASE, async (address, parts) => {
        try {
            const answer = await api.fetch(address.slice(BASE.length), parts);
            connection.sawAnswer(answer.status);
            return answer;
        } catch (failure) {
            connection.sawNoAnswer(failure);
            throw failure;
        }
    });
    return { client, connection };
}

export function wayOf(api: CallboardApi): Way {
    const known = ways.get(api);
    if (known) return known;
    const way = makeWay(api);
    ways.set(api, way);
    return way;
}
