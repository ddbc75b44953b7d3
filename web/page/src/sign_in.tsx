// Signing in with an API token or a JWT. It is kept for this tab only.
import { useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { CopyText, Notice, usePlace } from "@callboard/ui";
import { API_BASE, goTo } from "./address_bar";
import { signedIn } from "./connection";
import { storeToken, useToken } from "./token";

// Asks with the token; undefined if it is accepted, else what is wrong. Whoever
// may not see components is known all the same.
async function tryToken(token: string): Promise<string | undefined> {
    try {
        const answer = await window.fetch(`${API_BASE}/api/v1/components?limit=1`, {
            headers: { Authorization: `Bearer ${token}` },
        });
        if (answer.ok || answer.status === 403) return undefined;
        const text = (await answer.json().catch(() => ({}))) as { message?: unknown };
        if (answer.status === 401)
            return typeof text.message === "string" ? text.message : "The server does not accept this token.";
        return typeof text.message === "string" ? text.message : `The server answered ${answer.status}.`;
    } catch {
        return "Callboard cannot be reached.";
    }
}

// A token is one word of visible ASCII: anything else cannot be sent.
const isToken = (text: string) => /^[\x21-\x7e]+$/.test(text);

export default function SignIn() {
    const place = usePlace();
    const queries = useQueryClient();
    const held = useToken();
    const [token, setToken] = useState("");
    const [wrong, setWrong] = useState<string>();
    const [asking, setAsking] = useState(false);

    const submit = async (event: FormEvent) => {
        event.preventDefault();
        const typed = token.trim().replace(/^Bearer\s+/i, "");
        if (!isToken(typed)) return setWrong(typed === "" ? "Paste a token." : "A token has no spaces.");
        setAsking(true);
        const refusal = await tryToken(typed);
        setAsking(false);
        if (refusal !== undefined) return setWrong(refusal);
        storeToken(typed);
        signedIn();
        queries.clear();
        if (place.page === "signin") goTo("overview", place.params, "replace");
    };
    return (
        <div className="cb-sign-in">
            <h1>Sign in</h1>
            <p>This Callboard asks who you are. Paste an API token, or a JWT of your identity provider.</p>
            {held ? (
                <Notice kind="refused" title="Your token is no longer accepted">
                    It may have ended or been revoked.
                </Notice>
            ) : null}
            <form onSubmit={(event) => void submit(event)}>
                <label htmlFor="cb-token">Token</label>
                <input
                    id="cb-token"
                    className="cb-input"
                    type="password"
                    autoComplete="off"
                    spellCheck={false}
                    value={token}
                    aria-invalid={wrong !== undefined}
                    aria-describedby={wrong ? "cb-token-wrong" : undefined}
                    onChange={(event) => setToken(event.target.value)}
                />
                {wrong ? (
                    <p id="cb-token-wrong" className="cb-text-bad" role="alert">
                        {wrong}
                    </p>
                ) : null}
                <button type="submit" className="cb-button cb-button-main" disabled={asking}>
                    {asking ? "Asking …" : "Sign in"}
                </button>
            </form>
            <p className="cb-quiet">It stays in this tab of the browser, and is gone when you close it.</p>
            <h2>No token?</h2>
            <p>Whoever runs this server makes one:</p>
            <CopyText text="callboard token create NAME --role viewer --namespace NAMESPACE --expires 90d" />
        </div>
    );
}
