// Who may see Callboard in the portal, where its configuration says that a
// permission is needed. What Callboard itself allows, it decides on its own.
import { useApi } from "@backstage/core-plugin-api";
import { createPermission } from "@backstage/plugin-permission-common";
import { RequirePermission } from "@backstage/plugin-permission-react";
import type { ReactNode } from "react";
import { callboardApiRef } from "./api";

const callboardRead = createPermission({ name: "callboard.read", attributes: { action: "read" } });

export function Allowed(props: { otherwise: ReactNode; children: ReactNode }) {
    const { asksPermission } = useApi(callboardApiRef);
    if (!asksPermission) return <>{props.children}</>;
    return (
        <RequirePermission permission={callboardRead} errorPage={<>{props.otherwise}</>}>
            {props.children}
        </RequirePermission>
    );
}
