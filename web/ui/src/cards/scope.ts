// Of which component a card is, as the host says.
import { useMemo } from "react";
import type { ComponentScope } from "../component/page_data";
import { useScope } from "../scope";

export function useComponentScope(): ComponentScope | undefined {
    const { namespace, project, component, environment } = useScope();
    return useMemo(
        () =>
            namespace && project && component ? { namespace, project, component, environment } : undefined,
        [namespace, project, component, environment],
    );
}
