// The scope of the address.
import { usePlace } from "./host";

export interface Scope {
    namespace?: string;
    project?: string;
    component?: string;
    environment?: string;
}

export function useScope(): Scope {
    const { params } = usePlace();
    return {
        namespace: params.ns,
        project: params.project,
        component: params.component,
        environment: params.env,
    };
}
